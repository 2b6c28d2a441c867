# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.show_log`: the engine's log as a text, to read or to send with a report."""

import bpy

from ..engine import session
from . import text_viewer

TEXT_NAME = "HFFNE Engine Log"


class HFFNE_OT_show_log(bpy.types.Operator):
    """Open the engine's log in a Text Editor"""

    bl_idname = "hffne.show_log"
    bl_label = "Engine Log"
    bl_options = {"INTERNAL"}

    copy: text_viewer.copy_property()

    @classmethod
    def description(cls, context, properties):
        return "Copy the engine's log to the clipboard" if properties.copy else ""

    def execute(self, context):
        return text_viewer.show_or_copy(
            self, context, TEXT_NAME, session.log() or "The engine has not said anything.\n"
        )
