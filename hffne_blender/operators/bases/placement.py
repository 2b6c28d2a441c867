# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a new face goes in the scene, without disturbing what the user does meanwhile."""

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ... import preferences
from ...numeric import free_place
from ...scene import extent, face_attributes, units
from ...system.required import required
from . import viewport, windows

# Scene, active object and selection, by name.
UserState = tuple[str, str | None, set[str]]

# Meters kept between a new face and what stands beside it.
GAP = 0.03
# What is longer than this many meters is the face's surroundings, such as a floor or a room: a face stands in it.
SURROUNDINGS = 4.0


def user_state(context: bpy.types.Context) -> UserState:
    """The scene, the active object and the selection: when they change, the user has gone on with something else."""
    active = required(context.view_layer).objects.active
    return required(context.scene).name, active.name if active else None, {obj.name for obj in context.selected_objects}


def collection(context: bpy.types.Context) -> bpy.types.Collection:
    """The collection for a new face: the active one, whatever the mode."""
    return required(context.collection)


def place(context: bpy.types.Context, obj: bpy.types.Object, before: UserState | None, moved: bool = True) -> None:
    """Move a new face to a free place at the cursor, select it alone and show it in the viewport.

    Selection and view stay when the user is in another mode or state than `before` (None: any state); the view also
    where the preferences say so. moved: False leaves the face where it is.
    """
    if moved:
        stand(context, obj, required(context.scene).cursor.location)
    view_layer = required(context.view_layer)
    undisturbed = context.mode == "OBJECT" and before in (None, user_state(context))
    # An excluded or hidden collection leaves the object out of the view layer.
    if undisturbed and obj.name in view_layer.objects:
        for other in context.selected_objects:
            other.select_set(False)
        obj.select_set(True)
        view_layer.objects.active = obj
        if preferences.get(context).frame_result and windows.has_window(context):
            view_layer.update()
            viewport.show_face(context, obj)


def stand(context: bpy.types.Context, obj: bpy.types.Object, start: Vector) -> None:
    """Give a new face its size in the scene's units, and the first free place from `start` (world space) along x."""
    scene, unit = required(context.scene), units.per_meter(required(context.scene))
    units.set_size(obj, unit)
    obj.location = start
    # The transforms of an object made a moment ago are not evaluated yet.
    required(context.view_layer).update()
    own = required(extent.world_box(obj))
    obj.location.x += free_place.free_offset(own, _boxes(scene, {obj}), GAP * unit)


def make_room(context: bpy.types.Context, obj: bpy.types.Object, other: bpy.types.Object) -> float:
    """Move a face that takes the place of a smaller one along x where it reaches into what that one did not touch.

    Returns how far it was moved, in Blender units.
    """
    scene = required(context.scene)
    required(context.view_layer).update()
    own, smaller = required(extent.world_box(obj)), required(extent.world_box(other))
    boxes = _boxes(scene, {obj, other})
    # What the smaller one stands in or on already, such as a body or a helmet, is meant to be there.
    apart = np.any((boxes[:, 0] >= smaller[1]) | (boxes[:, 1] <= smaller[0]), axis=1)
    offset = free_place.free_offset(own, boxes[apart], GAP * units.per_meter(scene))
    if offset:
        obj.matrix_world = Matrix.Translation((offset, 0, 0)) @ obj.matrix_world
    return offset


def _boxes(scene: bpy.types.Scene, left_out: set[bpy.types.Object]) -> np.ndarray:
    """The boxes (N, 2, 3) in world space of what a face should not be made in."""
    found = [extent.world_box(obj) for obj in scene.objects if obj not in left_out and _is_in_the_way(obj)]
    largest = SURROUNDINGS * units.per_meter(scene)
    return np.array([box for box in found if box is not None and np.ptp(box, axis=0).max() < largest]).reshape(-1, 2, 3)


def _is_in_the_way(obj: bpy.types.Object) -> bool:
    # A face that is hidden for now is shown again some time.
    return face_attributes.is_face(obj) or obj.visible_get()
