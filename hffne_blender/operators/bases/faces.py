# SPDX-License-Identifier: GPL-3.0-or-later
"""The face objects that an operator or a panel may work with."""

import bpy

from ... import settings
from ...scene import face_attributes
from ...system.required import required


def face_for(context: bpy.types.Context, target: bpy.types.Object | None) -> bpy.types.Object | None:
    """The face to apply to a target, never the target itself.

    The one chosen in the panel, else the selected one, else the latest made; None without a face.
    """
    faces = faces_in(context, target)
    candidates = [settings.of(context).applied_face, *context.selected_objects, *faces[:1]]
    return next((obj for obj in candidates if obj in faces), None)


def faces_in(context: bpy.types.Context, target: bpy.types.Object | None = None) -> list[bpy.types.Object]:
    """The face objects of the scene without the target, the latest made first."""
    faces = [obj for obj in required(context.scene).objects if obj != target and face_attributes.is_face(obj)]
    # Those of earlier versions have no number: Blender counts data-blocks in the order in which it makes or reads them.
    return sorted(faces, key=lambda obj: (face_attributes.number_of(obj), obj.session_uid), reverse=True)


def face_names(operator: bpy.types.Operator, context: bpy.types.Context, text: str) -> list[str]:
    """The search of a property that names a face."""
    return [obj.name for obj in faces_in(context, context.object)]
