# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.release_engine`: stop the engine's process, which frees its memory."""

import bpy

from ..engine import session
from .bases.polls import engine_idle
from .bases.types import OperatorResult


class HFFNE_OT_release_engine(bpy.types.Operator):
    """Stop the engine to free its memory and GPU memory; the next face starts it again"""

    bl_idname = "hffne.release_engine"
    bl_label = "Release Engine"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not engine_idle(cls, context):
            return False
        if not session.alive():
            cls.poll_message_set("The engine is not running")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        # In a window Blender must not wait until the process has ended.
        session.release(wait=bpy.app.background)
        return {"FINISHED"}
