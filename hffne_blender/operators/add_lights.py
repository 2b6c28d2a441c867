# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.add_lights`: lights around a face that show its relief.

bpy.ops.hffne.add_lights(preset="RAKING", grazing=1.3, frames=96)
"""

import math

import bpy

from ..studio import lights
from ..studio.place import face_at
from ..system.required import required
from .bases import viewport, windows
from .bases.polls import OnFace
from .bases.types import OperatorResult


class HFFNE_OT_add_lights(OnFace, bpy.types.Operator):
    """Add lights around the selected face that show its relief; replaces the lights added before"""

    bl_idname = "hffne.add_lights"
    bl_label = "Light the Face"
    bl_options = {"REGISTER", "UNDO"}

    preset: bpy.props.EnumProperty(
        name="Lights",
        description="Kind of lighting",
        items=(
            ("RAKING", "Raking, Circling", "One hard light at a grazing angle that circles around the face"),
            ("SOFT", "Soft", "A large key light, a fill light and a rim light"),
            ("REMBRANDT", "Rembrandt", "A high key light from the side, little fill light"),
            ("BUTTERFLY", "Butterfly", "A key light above the camera, a fill light below"),
            ("SPLIT", "Split", "One half lit, one half dark"),
            ("RIM", "Rim", "From behind on both sides"),
        ),
    )
    grazing: bpy.props.FloatProperty(
        name="Grazing",
        description="Angle between the raking light and the direction that the face looks in; "
        "at 90 degrees it is parallel to the face",
        default=math.radians(75),
        min=0,
        max=math.pi / 2,
        subtype="ANGLE",
    )
    frames: bpy.props.IntProperty(
        name="Frames", description="Frames of one turn of the raking light; 0 keeps it still", default=96, min=0
    )

    show: bpy.props.BoolProperty(
        name="Show in Viewport",
        description="Switch this viewport to Material Preview with the scene's lights: Solid shows none",
        default=False,
        options={"SKIP_SAVE"},
    )

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        obj = required(face_at(context.object))
        lights.add(required(context.scene), obj, self.preset, math.degrees(self.grazing), self.frames)
        view = viewport.viewport_of(context)
        if view is not None and self.show:
            viewport.show_detail(view, scene_lights=True)
        elif view is not None and windows.has_window(context) and not viewport.shows_detail(view):
            self.report({"INFO"}, "Solid shading shows no lights: press Show Lights")
        return {"FINISHED"}
