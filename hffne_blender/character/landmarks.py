# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks that an artist can move: empties on the target, one a feature."""

import bpy
import numpy as np
from mathutils import Vector

# Index in the iBUG order of 68 points -> what people call it. "Right" is the face's own right.
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
# What the engine's own search matches besides: brows, nose, eyes, lips.
FOUND = tuple(sorted({*range(17, 68), 7, 8, 9}))
PROPERTY = "hffne_landmark"


def of(target):
    """{index: empty} of the landmarks on an object."""
    return {child[PROPERTY]: child for child in target.children if PROPERTY in child}


def positions(target):
    """(indices (K,), points (K, 3) world space) of the landmarks on an object."""
    there = of(target)
    indices = sorted(there)
    points = np.array([there[index].matrix_world.translation for index in indices], float).reshape(-1, 3)
    return np.array(indices, int), points


def place(context, target, points, size):
    """Put the landmarks of `target` at points {index: (3,) world space}; those there are moved. Returns the empties."""
    there, made = of(target), []
    for index, point in points.items():
        empty = there.get(index)
        if empty is None:
            empty = bpy.data.objects.new(f"{target.name} {NAMES[index]}", None)
            empty[PROPERTY] = index
            empty.empty_display_type = "SPHERE"
            empty.show_in_front = empty.show_name = True
            (target.users_collection or (context.scene.collection,))[0].objects.link(empty)
            empty.parent = target
        empty.empty_display_size = size
        # In the target's own space: it may be moved afterwards.
        empty.matrix_parent_inverse.identity()
        empty.location = target.matrix_world.inverted() @ Vector([float(value) for value in point])
        made.append(empty)
    context.view_layer.update()
    return made


def remove(target):
    for empty in of(target).values():
        bpy.data.objects.remove(empty)
