# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.render_turntable`: render the turntable of a face into a folder.

bpy.ops.hffne.render_turntable(directory="/tmp/turn", step=4, size=512, samples=32)
"""

import bpy

from ..studio import turntable
from ..studio.place import face_at
from ..system.required import required
from .bases.folder import IntoFolder
from .bases.polls import active_face
from .bases.types import OperatorResult
from .bases.windows import has_window


class HFFNE_OT_render_turntable(IntoFolder, bpy.types.Operator):
    """Render the scene's frame range through the selected face's turntable camera into a folder"""

    bl_idname = "hffne.render_turntable"
    bl_label = "Render Turntable"

    directory: bpy.props.StringProperty(
        name="Folder", description="Folder for the images", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    step: bpy.props.IntProperty(name="Frame Step", description="Frames from one image to the next", default=1, min=1)
    size: bpy.props.IntProperty(name="Size", description="Side of the images in pixels", default=512, min=16, max=8192)
    samples: bpy.props.IntProperty(
        name="Samples", description="Cycles samples for each pixel; 0 uses the scene's", default=0, min=0
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not active_face(cls, context):
            return False
        if turntable.camera_of(required(context.scene), required(face_at(context.object))) is None:
            cls.poll_message_set("Press Turntable first: it adds the camera")
            return False
        if bpy.app.is_job_running("RENDER"):  # type: ignore[func-returns-value]  # the stub lacks the bool
            cls.poll_message_set("Blender is rendering")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        folder = self.folder()
        if folder is None:
            return {"CANCELLED"}
        scene, obj = required(context.scene), required(face_at(context.object))
        stem = bpy.path.clean_name(obj.name) + "_turntable"
        camera = required(turntable.camera_of(scene, obj))
        rendering = turntable.Rendering(camera, folder, stem, self.step, self.size, self.samples)
        if has_window(context):
            turntable.render_in_window(scene, rendering)
            return {"FINISHED"}
        try:
            paths = turntable.render(scene, rendering)
        except OSError as error:
            self.report({"ERROR"}, f"The turntable could not be rendered: {error}")
            return {"CANCELLED"}
        self.report({"INFO"}, f"{len(paths)} images in {folder}")
        return {"FINISHED"}
