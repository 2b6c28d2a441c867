# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.cancel`: give up the face that is being generated."""

import bpy

from ..engine import session


class HFFNE_OT_cancel(bpy.types.Operator):
    """Stop generating the face"""

    bl_idname = "hffne.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context):
        return session.running()

    def execute(self, context):
        # The modal operator sees it at its next tick and ends.
        session.cancel()
        return {"FINISHED"}
