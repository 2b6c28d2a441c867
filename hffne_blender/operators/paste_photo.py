# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.paste_photo`: use the image on the clipboard as the photo."""

import bpy

from .. import settings
from ..engine.client import EngineError
from ..photo import clipboard
from .bases.types import OperatorResult


class HFFNE_OT_paste_photo(bpy.types.Operator):
    """Use the image on the clipboard as the photo; it is packed into the file"""

    bl_idname = "hffne.paste_photo"
    bl_label = "Paste Photo"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        try:
            image = clipboard.paste(context)
        except EngineError as error:
            self.report({"ERROR"}, f"{error} {error.hint}")
            return {"CANCELLED"}
        chosen = settings.of(context)
        chosen.source = "IMAGE"
        chosen.image = image
        self.report({"INFO"}, f"{image.name}: {image.size[0]} × {image.size[1]} pixels")
        return {"FINISHED"}
