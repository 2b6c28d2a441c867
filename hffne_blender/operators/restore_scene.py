# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.restore_scene`: the scene's own camera and frame range again."""

import bpy

from ..studio import scene_settings
from ..system.required import required
from .bases import viewport
from .bases.types import OperatorResult


class HFFNE_OT_restore_scene(bpy.types.Operator):
    """Bring back the camera and the frames that the scene had before a turntable or a photo's camera was added"""

    bl_idname = "hffne.restore_scene"
    bl_label = "Restore Camera and Frames"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not scene_settings.can_restore(required(context.scene)):
            cls.poll_message_set("The scene has its own camera and frames")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        scene = required(context.scene)
        if scene_settings.restore(scene):
            viewport.leave_cameras(context)
        camera = scene.camera.name if scene.camera is not None else "none"
        self.report({"INFO"}, f"Camera: {camera}, frames {scene.frame_start} to {scene.frame_end}")
        return {"FINISHED"}
