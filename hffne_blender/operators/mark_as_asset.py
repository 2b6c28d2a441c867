# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.mark_as_asset`: a face in the Asset Browser."""

import bpy

from ..studio.place import face_at
from ..system.required import required
from .bases.polls import OnFace
from .bases.types import OperatorResult


class HFFNE_OT_mark_as_asset(OnFace, bpy.types.Operator):
    """Put the selected face into the Asset Browser, with a preview picture"""

    bl_idname = "hffne.mark_as_asset"
    bl_label = "Mark as Asset"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        obj = required(face_at(context.object))
        obj.asset_mark()
        about = required(obj.asset_data)
        about.description = "A face built from a photo"
        if "Face" not in about.tags:
            about.tags.new("Face")
        if not bpy.app.background:
            # Blender renders it beside the user, which it does not without a window.
            obj.asset_generate_preview()
        self.report({"INFO"}, f"{obj.name} is an asset of this file")
        return {"FINISHED"}
