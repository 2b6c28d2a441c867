# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.remove_engine`: delete the engine's environment and its downloads."""

import bpy

from .. import preferences
from ..engine import installed, session
from ..system.required import required
from .bases import installation
from .bases.types import OperatorResult


class HFFNE_OT_remove_engine(bpy.types.Operator):
    """Delete the engine's environment and everything that was downloaded for it"""

    bl_idname = "hffne.remove_engine"
    bl_label = "Remove"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not session.installing() and bool(preferences.engine_folder())

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        size = installed.size_of(preferences.engine_folder()) / 1e9
        return required(context.window_manager).invoke_confirm(
            self,
            event,
            title="Remove the Engine",
            message=f"{size:.1f} GB are deleted.",
            confirm_text="Remove",
            icon="QUESTION",
        )

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        session.close()
        installation.forget_sizes()
        try:
            installed.remove(preferences.engine_folder())
        except OSError as error:
            self.report({"ERROR"}, f"Not everything could be deleted: {error}")
            return {"CANCELLED"}
        self.report({"INFO"}, "The engine is removed")
        return {"FINISHED"}
