# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.cancel_install`: cancel the engine's installation or check."""

import bpy

from ..engine import session
from ..system.required import required
from .bases.types import OperatorResult


class HFFNE_OT_cancel_install(bpy.types.Operator):
    """Cancel; the downloads are kept for the next try"""

    bl_idname = "hffne.cancel_install"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session.installing()

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        # The modal operator ends at its next tick.
        required(session.state.installation).cancel()
        return {"FINISHED"}
