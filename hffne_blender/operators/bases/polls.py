# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions under which operators are available; each tells Blender's tooltip what is missing."""

import bpy

from ...engine import session
from ...studio.place import face_at
from .types import OperatorMixin

NO_FACE = "Select a face made from a photo"


def object_mode(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether Blender is in Object Mode."""
    if context.mode != "OBJECT":
        cls.poll_message_set("Switch to Object Mode first")
        return False
    return True


def engine_idle(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether no other face is being generated."""
    if session.running():
        cls.poll_message_set("A face is being generated")
        return False
    return True


def active_face(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether the active object is a face with its sliders, or one of its lights and cameras."""
    if face_at(context.object) is None:
        cls.poll_message_set(NO_FACE)
        return False
    return True


class OnFace(OperatorMixin):
    """An operator on the active face, or on that of the active light or camera, in Object Mode."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return object_mode(cls, context) and active_face(cls, context)
