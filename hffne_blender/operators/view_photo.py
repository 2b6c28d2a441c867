# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.view_photo`: a camera that sees the face as the photo did."""

import bpy

from ..scene import camera


class HFFNE_OT_view_photo(bpy.types.Operator):
    """Add an orthographic camera that sees the face as the photo did, and make it the scene's camera"""

    bl_idname = "hffne.view_photo"
    bl_label = "Camera From Photo"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if context.object is None or camera.PROPERTY not in context.object:
            cls.poll_message_set("Select a face made from a photo")
            return False
        return True

    def execute(self, context):
        view = camera.photo_camera(context.object, "PHOTO")
        context.collection.objects.link(view)
        scene = context.scene
        scene.camera = view
        scene.render.resolution_x, scene.render.resolution_y = camera.load(context.object)["photo_size"]
        scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1
        return {"FINISHED"}
