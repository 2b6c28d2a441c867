# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.view_photo`: a camera that shows the face as in the photo."""

import bpy

from .. import settings
from ..scene import camera
from ..studio import photo_view
from ..studio.place import face_at
from ..system.required import required
from .bases import viewport
from .bases.polls import NO_FACE
from .bases.types import OperatorResult


class HFFNE_OT_view_photo(bpy.types.Operator):
    """Look through an orthographic camera that shows the face as in the photo; each face has one"""

    bl_idname = "hffne.view_photo"
    bl_label = "Camera From Photo"
    bl_options = {"REGISTER", "UNDO"}

    photo: settings.photo_number_property(options={"SKIP_SAVE"})
    match_size: bpy.props.BoolProperty(
        name="Match Render Size",
        description="Set the render resolution to the photo's size, so that the render can be overlaid on the photo",
        default=False,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        obj = face_at(context.object)
        if obj is None or camera.load(obj) is None:
            cls.poll_message_set(NO_FACE)
            return False
        return True

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        scene, obj = required(context.scene), required(face_at(context.object))
        if self.photo:
            try:
                camera.show(obj, self.photo - 1)
            except ValueError as error:
                self.report({"ERROR"}, str(error))
                return {"CANCELLED"}
        if self.match_size:
            scene.render.resolution_x, scene.render.resolution_y = camera.shown(obj)["photo_size"]
            scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1
        view = photo_view.add(scene, obj)
        if isinstance(context.space_data, bpy.types.SpaceView3D):
            viewport.look_through_camera(context, context.space_data)
        self.report({"INFO"}, f"The scene's camera is now '{view.name}'; Restore Camera and Frames brings back yours")
        return {"FINISHED"}
