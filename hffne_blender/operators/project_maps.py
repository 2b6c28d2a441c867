# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.project_maps`: the maps of a face projected anew for its pins as they are now."""

import bpy

from .bases.background import Work
from .bases.pin_change import OnPins


class HFFNE_OT_project_maps(OnPins, bpy.types.Operator):
    """Project the photo on the face as its pins have it now, where that was cancelled or undone"""

    bl_idname = "hffne.project_maps"
    bl_label = "Project Maps"
    bl_options = {"UNDO"}

    def work(self, context: bpy.types.Context) -> Work:
        obj = self.target(context)
        yield from self.maps(context)
        self.report({"INFO"}, f"{obj.name}: maps projected")
