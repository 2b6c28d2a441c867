# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a face still has the shape that the engine gave it, or was sculpted or edited since.

"hffne_shape"  on the object: a hash of its points as on the photo
"""

import hashlib

import bpy
import numpy as np

from .access import mesh_of, read_array
from .shape_keys import photo_expression

PROPERTY = "hffne_shape"


def points(obj: bpy.types.Object) -> np.ndarray:
    """The vertices (V, 3) float32 of a face as on the photo: of a head, those of the photo's expression."""
    key = photo_expression(obj)
    if key is not None:
        return read_array(key.points, "co", 3)
    mesh = mesh_of(obj)
    keys = mesh.shape_keys
    # A mask that was given shape keys since has its shape in the first one.
    owner = mesh.vertices if keys is None or keys.reference_key is None else keys.reference_key.points
    return read_array(owner, "co", 3)


def store(obj: bpy.types.Object) -> None:
    """Note that a face has the engine's own shape now."""
    obj[PROPERTY] = _hash(points(obj))


def is_engines(obj: bpy.types.Object) -> bool:
    """Whether a face has the engine's own shape; False also for one of an earlier version."""
    return obj.get(PROPERTY) == _hash(points(obj))


def _hash(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values, np.float32).tobytes()).hexdigest()
