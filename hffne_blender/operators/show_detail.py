# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.show_detail`: a viewport that shows materials, and so a face's normal map."""

import bpy

from .bases import viewport
from .bases.types import OperatorResult


class HFFNE_OT_show_detail(bpy.types.Operator):
    """Show the face with its maps: switches this viewport to Material Preview, and back to Solid"""

    bl_idname = "hffne.show_detail"
    bl_label = "Show Detail"

    scene_lights: bpy.props.BoolProperty(
        name="Scene Lights",
        description="Show the lights of the scene instead of the preview's own",
        default=False,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if viewport.viewport_of(context) is None:
            cls.poll_message_set("There is no 3D viewport in this window")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        view = viewport.viewport_of(context)
        assert view is not None
        if viewport.shows_detail(view, self.scene_lights):
            view.shading.type = "SOLID"
        else:
            viewport.show_detail(view, self.scene_lights)
        return {"FINISHED"}
