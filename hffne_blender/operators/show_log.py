# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.show_log`: the engine's log as a text, to read or to send with a report."""

import bpy

from ..engine import session
from .bases.text_viewer import ShowsLog
from .bases.types import OperatorResult

TEXT_NAME = "HFFNE Engine Log"


class HFFNE_OT_show_log(ShowsLog, bpy.types.Operator):
    """Open the engine's log in a Text Editor"""

    bl_idname = "hffne.show_log"
    bl_label = "Engine Log"
    bl_options = {"INTERNAL"}

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return "Copy the engine's log to the clipboard" if properties.copy else ""

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        return self.show_or_copy(context, TEXT_NAME, session.log() or "The engine's log is empty.\n")
