# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.add_lights`: lights around a face that show its relief.

bpy.ops.hffne.add_lights(preset="RAKING", grazing=1.3, frames=96)
"""

import math

import bpy

from ..studio import lights
from ..system.required import required
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

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        obj = required(context.object)
        lights.add(required(context.scene), obj, self.preset, math.degrees(self.grazing), self.frames)
        return {"FINISHED"}
