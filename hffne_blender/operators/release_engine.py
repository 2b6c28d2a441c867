# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.release_engine`: end the engine's process, which gives back all that it holds."""

import bpy

from ..engine import session


class HFFNE_OT_release_engine(bpy.types.Operator):
    """Stop the engine and give back its memory, the graphics card's too; the next face starts it again"""

    bl_idname = "hffne.release_engine"
    bl_label = "Release Engine"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context):
        if session.running():
            cls.poll_message_set("A face is being generated")
            return False
        if not session.alive():
            cls.poll_message_set("The engine is not running")
            return False
        return True

    def execute(self, context):
        # A window does not wait for another process to end.
        session.release(wait=bpy.app.background)
        return {"FINISHED"}
