# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks that an artist can move: empties that are children of the target, one per feature."""

from collections.abc import Mapping

import bpy
import numpy as np
from mathutils import Vector

from ..system.required import required

# Index in the iBUG order of 68 points -> the name of the feature. "R" is the face's own right.
NAMES = {
    36: "Eye outer R",
    39: "Eye inner R",
    42: "Eye inner L",
    45: "Eye outer L",
    27: "Nose root",
    30: "Nose tip",
    31: "Nostril R",
    35: "Nostril L",
    48: "Mouth corner R",
    54: "Mouth corner L",
    51: "Upper lip",
    57: "Lower lip",
    8: "Chin",
}
# The indices used where the engine detects landmarks: brows, nose, eyes, lips, and three on the chin.
DETECTED = tuple(sorted({*range(17, 68), 7, 8, 9}))
PROPERTY = "hffne_landmark"


def empties_of(target: bpy.types.Object) -> dict[int, bpy.types.Object]:
    """{index: empty} of the landmarks on an object."""
    found = {child.get(PROPERTY): child for child in target.children}
    return {index: child for index, child in found.items() if index is not None}


def positions(target: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """(indices (K,), points (K, 3) world space) of the landmarks on an object."""
    empties = empties_of(target)
    indices = sorted(empties)
    points = np.array([empties[index].matrix_world.translation for index in indices], float).reshape(-1, 3)
    return np.array(indices, int), points


def place(
    context: bpy.types.Context, target: bpy.types.Object, points: Mapping[int, np.ndarray], size: float
) -> list[bpy.types.Object]:
    """Put the landmarks of `target` at points {index: (3,) world space}; existing ones are moved. Returns the empties.

    size  the radius of the empties in world units
    """
    existing, placed = empties_of(target), []
    for index, point in points.items():
        empty = existing.get(index)
        if empty is None:
            empty = bpy.data.objects.new(f"{target.name} {NAMES[index]}", None)
            empty[PROPERTY] = index
            empty.empty_display_type = "SPHERE"
            empty.show_in_front = empty.show_name = True
            (target.users_collection or (required(context.scene).collection,))[0].objects.link(empty)
            empty.parent = target
        empty.empty_display_size = size
        # In the target's own space: it may be moved afterwards.
        empty.matrix_parent_inverse.identity()
        empty.location = target.matrix_world.inverted() @ Vector([float(value) for value in point])
        placed.append(empty)
    required(context.view_layer).update()
    return placed


def remove(target: bpy.types.Object) -> None:
    """Remove the landmarks of an object."""
    for empty in empties_of(target).values():
        bpy.data.objects.remove(empty)
