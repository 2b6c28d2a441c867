# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.cancel`: cancel the face that is being generated."""

import bpy

from ..engine import session
from .bases.types import OperatorResult


class HFFNE_OT_cancel(bpy.types.Operator):
    """Stop generating the face"""

    bl_idname = "hffne.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session.running()

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        # The modal operator ends at its next tick.
        session.cancel()
        return {"FINISHED"}
