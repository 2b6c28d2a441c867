# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.paste_photo`: the picture on the clipboard becomes the photo."""

import bpy

from ..engine.client import EngineError
from ..photo import clipboard


class HFFNE_OT_paste_photo(bpy.types.Operator):
    """Take the picture on the clipboard as the photo; it is kept in the file as a packed image"""

    bl_idname = "hffne.paste_photo"
    bl_label = "Paste Photo"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context):
        try:
            image = clipboard.paste(context)
        except EngineError as error:
            self.report({"ERROR"}, f"{error} {error.hint}")
            return {"CANCELLED"}
        chosen = context.scene.hffne
        chosen.source = "IMAGE"
        chosen.image = image
        self.report({"INFO"}, f"{image.name}: {image.size[0]} × {image.size[1]} pixels")
        return {"FINISHED"}
