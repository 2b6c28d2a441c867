# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.add_lights`, `add_turntable`, `render_turntable` and `relight_photo`: looking at a face.

bpy.ops.hffne.add_lights(preset="RAKING", grazing=1.3, frames=96)
bpy.ops.hffne.add_turntable(frames=96)
bpy.ops.hffne.render_turntable(directory="/tmp/turn", step=4, size=512, samples=32)
bpy.ops.hffne.relight_photo(light=(-0.1, -0.1, 0.1))
"""

import math

import bpy

from ..studio import lights, relight, turntable
from . import ask
from .set_detail import poll_face


class _OnFace:
    @classmethod
    def poll(cls, context):
        return ask.object_mode(cls, context) and poll_face(cls, context)


class HFFNE_OT_add_lights(_OnFace, bpy.types.Operator):
    """Put lights around the selected face that show its relief; replaces those put there before"""

    bl_idname = "hffne.add_lights"
    bl_label = "Light the Face"
    bl_options = {"REGISTER", "UNDO"}

    preset: bpy.props.EnumProperty(
        name="Lights",
        description="How the face is lit",
        items=(
            ("RAKING", "Raking, Circling", "One hard light that grazes the face and circles around it"),
            ("SOFT", "Soft", "A large key, a fill and a rim"),
            ("REMBRANDT", "Rembrandt", "A high key from the side, hardly any fill"),
            ("BUTTERFLY", "Butterfly", "A key above the camera, a fill below"),
            ("SPLIT", "Split", "One half lit, one dark"),
            ("RIM", "Rim", "From behind on both sides"),
        ),
    )
    grazing: bpy.props.FloatProperty(
        name="Grazing",
        description="Between the raking light and the axis on which the face looks; 90 degrees only touches",
        default=math.radians(75),
        min=0,
        max=math.pi / 2,
        subtype="ANGLE",
    )
    frames: bpy.props.IntProperty(
        name="Frames", description="Frames of the raking light's circle; 0 keeps it still", default=96, min=0
    )

    def execute(self, context):
        lights.add(context.scene, context.object, self.preset, math.degrees(self.grazing), self.frames)
        return {"FINISHED"}


class HFFNE_OT_add_turntable(_OnFace, bpy.types.Operator):
    """Let a camera go around the selected face; the scene's frames become one turn"""

    bl_idname = "hffne.add_turntable"
    bl_label = "Turntable"
    bl_options = {"REGISTER", "UNDO"}

    frames: bpy.props.IntProperty(name="Frames", description="Frames of a turn", default=96, min=2)
    sweep: bpy.props.FloatProperty(
        name="Sweep",
        description="How far the camera goes to and fro; 360 degrees is all around",
        default=math.radians(140),
        min=0,
        max=math.tau,
        subtype="ANGLE",
    )

    def execute(self, context):
        turntable.add(context.scene, context.object, self.frames, math.degrees(self.sweep))
        return {"FINISHED"}


class HFFNE_OT_render_turntable(ask.IntoFolder, bpy.types.Operator):
    """Render the scene's frames through the selected face's turntable camera into a folder"""

    bl_idname = "hffne.render_turntable"
    bl_label = "Render Turntable"

    directory: bpy.props.StringProperty(
        name="Folder", description="Where the pictures go", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    step: bpy.props.IntProperty(name="Every", description="Render every so many frames", default=1, min=1)
    size: bpy.props.IntProperty(name="Size", description="Pixels of a picture's side", default=512, min=16, max=8192)
    samples: bpy.props.IntProperty(
        name="Samples", description="Of Cycles for each pixel; 0 takes the scene's", default=0, min=0
    )

    @classmethod
    def poll(cls, context):
        if not poll_face(cls, context):
            return False
        if turntable.camera_of(context.scene, context.object) is None:
            cls.poll_message_set("Press Turntable first: it adds the camera")
            return False
        if bpy.app.is_job_running("RENDER"):
            cls.poll_message_set("Blender is rendering")
            return False
        return True

    def execute(self, context):
        folder = self.folder()
        if folder is None:
            return {"CANCELLED"}
        scene, obj = context.scene, context.object
        stem = bpy.path.clean_name(obj.name) + "_turntable"
        camera = turntable.camera_of(scene, obj)
        wanted = turntable.Rendering(camera, folder, stem, self.step, self.size, self.samples)
        if ask.has_window(context):
            turntable.render_in_window(scene, wanted)
            return {"FINISHED"}
        try:
            paths = turntable.render(scene, wanted)
        except OSError as error:
            self.report({"ERROR"}, f"The turntable could not be rendered: {error}")
            return {"CANCELLED"}
        self.report({"INFO"}, f"{len(paths)} pictures in {folder}")
        return {"FINISHED"}


class HFFNE_OT_relight_photo(_OnFace, bpy.types.Operator):
    """Put the photo beside the face, with a light to drag around; replaces the one put there before"""

    bl_idname = "hffne.relight_photo"
    bl_label = "Relight the Photo"
    bl_options = {"REGISTER", "UNDO"}

    light: bpy.props.FloatVectorProperty(
        name="Light",
        description="Where the light is, from the middle of the photo: right, away from the viewer, up",
        subtype="TRANSLATION",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context):
        if not super().poll(context):
            return False
        if relight.images_of(context.object) is None:
            text = "This face was made without the map Photo Relighting: tick it under What Is Made, generate again"
            cls.poll_message_set(text)
            return False
        return True

    def execute(self, context):
        _, light = relight.add(context.scene, context.object)
        if self.properties.is_property_set("light"):
            light.location = self.light
        return {"FINISHED"}
