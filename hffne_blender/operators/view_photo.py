# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.view_photo`: a camera that sees the face as the photo did."""

import bpy

from ..scene import camera
from ..studio import photo_view


class HFFNE_OT_view_photo(bpy.types.Operator):
    """Look through an orthographic camera that sees the face as the photo did; each face has one"""

    bl_idname = "hffne.view_photo"
    bl_label = "Camera From Photo"
    bl_options = {"REGISTER", "UNDO"}

    match_size: bpy.props.BoolProperty(
        name="Match Render Size",
        description="Set the size of renders to the photo's, so that both can be laid over one another",
        default=False,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context):
        if context.object is None or camera.PROPERTY not in context.object:
            cls.poll_message_set("Select a face made from a photo")
            return False
        return True

    def execute(self, context):
        scene, obj = context.scene, context.object
        if self.match_size:
            scene.render.resolution_x, scene.render.resolution_y = camera.load(obj)["photo_size"]
            scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1
        photo_view.add(scene, context.collection, obj)
        return {"FINISHED"}
