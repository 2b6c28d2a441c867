# SPDX-License-Identifier: GPL-3.0-or-later
"""A head's parts: the skin, which alone has the face's textures, eyes, teeth and so on, one material slot each.

A head object has the custom property "hffne_parts", a JSON list of the parts' names in the order of its slots.
"""

import json
from collections.abc import Iterable

import bpy
import numpy as np

from ..numeric.received_head import ReceivedHead
from .stored import json_of

PARTS = "hffne_parts"
# The material slot of the skin.
SKIN = 0


def store_parts(obj: bpy.types.Object, names: Iterable[str]) -> None:
    """Store the names of the parts on a head object."""
    obj[PARTS] = json.dumps(list(names))


def parts_of(obj: bpy.types.Object) -> list[str]:
    """The names of a head's parts in the order of its material slots; [] for anything else."""
    names = json_of(obj, PARTS)
    return [str(name) for name in names] if isinstance(names, list) else []


def is_head(obj: bpy.types.Object) -> bool:
    """Whether an object is a head with parts, and not a mask or another mesh."""
    return bool(parts_of(obj))


def skin_slot(obj: bpy.types.Object) -> int | None:
    """The material slot of a head's skin, None for an object that is all skin. See `mesh_arrays.triangle_loops`."""
    return SKIN if is_head(obj) else None


def add_part_groups(obj: bpy.types.Object, quads: np.ndarray, head: ReceivedHead) -> None:
    """A vertex group for each part, with the part's name. quads (Q, 4) int, -1 for no corner."""
    for part, name in enumerate(head.parts):
        used = np.unique(quads[head.quad_parts == part])
        obj.vertex_groups.new(name=name).add(used[used >= 0].tolist(), 1.0, "REPLACE")
