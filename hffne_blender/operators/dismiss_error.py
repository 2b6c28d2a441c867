# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.dismiss_error`: take the last error's message from the panel."""

import bpy

from ..engine import session
from .bases.types import OperatorResult


class HFFNE_OT_dismiss_error(bpy.types.Operator):
    """Take this message from the panel"""

    bl_idname = "hffne.dismiss_error"
    bl_label = "Dismiss"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if session.state.last_error is None:
            cls.poll_message_set("There is no message")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        session.forget_error()
        return {"FINISHED"}
