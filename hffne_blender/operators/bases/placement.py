# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a new face goes in the scene, without disturbing what the user does meanwhile."""

import bpy
from mathutils import Vector

from ... import batch
from ...scene import face_attributes
from ...system.required import required

# Scene, active object and selection, by name.
UserState = tuple[str, str | None, set[str]]


def user_state(context: bpy.types.Context) -> UserState:
    """The scene, the active object and the selection: when they change, the user has gone on with something else."""
    active = required(context.view_layer).objects.active
    return required(context.scene).name, active.name if active else None, {obj.name for obj in context.selected_objects}


def collection(context: bpy.types.Context) -> bpy.types.Collection:
    """The collection for a new face: the active one, whatever the mode."""
    return required(context.collection)


def place(context: bpy.types.Context, obj: bpy.types.Object, before: UserState | None, moved: bool = True) -> None:
    """Move a new face to the cursor, or beside a face that stands there, and select it alone.

    The selection stays when the user is in another mode or state than `before` (None: any state). moved: False leaves
    the face where it is.
    """
    if moved:
        obj.location = _free_place(context, obj)
    view_layer = required(context.view_layer)
    undisturbed = context.mode == "OBJECT" and before in (None, user_state(context))
    # An excluded or hidden collection leaves the object out of the view layer.
    if undisturbed and obj.name in view_layer.objects:
        for other in context.selected_objects:
            other.select_set(False)
        obj.select_set(True)
        view_layer.objects.active = obj


def _free_place(context: bpy.types.Context, obj: bpy.types.Object) -> Vector:
    """World space, meters."""
    # The transforms of an object made a moment ago are not evaluated yet.
    required(context.view_layer).update()
    scene = required(context.scene)
    faces = [other for other in scene.objects if other != obj and face_attributes.is_face(other)]
    place = scene.cursor.location.copy()
    while any((other.matrix_world.translation - place).length < batch.SPACING / 2 for other in faces):
        place.x += batch.SPACING
    return place
