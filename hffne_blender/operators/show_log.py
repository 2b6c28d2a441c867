# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.show_log`: the engine's log as a text, to read or to send with a report."""

import bpy

from ..engine import session

TEXT_NAME = "HFFNE Engine Log"


class HFFNE_OT_show_log(bpy.types.Operator):
    """Copy the engine's log into a text that the Text Editor shows"""

    bl_idname = "hffne.show_log"
    bl_label = "Engine Log"
    bl_options = {"INTERNAL"}

    def execute(self, context):
        text = bpy.data.texts.get(TEXT_NAME) or bpy.data.texts.new(TEXT_NAME)
        text.from_string(session.log() or "The engine has not said anything.\n")
        for area in context.screen.areas if context.screen else ():
            if area.type == "TEXT_EDITOR":
                area.spaces.active.text = text
        self.report({"INFO"}, f"See the text '{TEXT_NAME}' in a Text Editor")
        return {"FINISHED"}
