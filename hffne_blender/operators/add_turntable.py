# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.add_turntable`: a camera that moves around a face.

bpy.ops.hffne.add_turntable(frames=96)
"""

import math

import bpy

from ..studio import turntable
from ..studio.place import face_at
from ..system.required import required
from .bases.polls import OnFace
from .bases.types import OperatorResult


class HFFNE_OT_add_turntable(OnFace, bpy.types.Operator):
    """Add a camera that moves around the selected face; the scene's frame range becomes one turn"""

    bl_idname = "hffne.add_turntable"
    bl_label = "Turntable"
    bl_options = {"REGISTER", "UNDO"}

    frames: bpy.props.IntProperty(name="Frames", description="Frames of one turn", default=96, min=2)
    sweep: bpy.props.FloatProperty(
        name="Sweep",
        description="Angle that the camera moves through, back and forth; 360 degrees is all around",
        default=math.radians(140),
        min=0,
        max=math.tau,
        subtype="ANGLE",
    )

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        scene, obj = required(context.scene), required(face_at(context.object))
        camera = turntable.add(scene, obj, self.frames, math.degrees(self.sweep))
        self.report(
            {"INFO"},
            f"The scene's camera is now '{camera.name}', its frames 1 to {self.frames}; "
            "Restore Camera and Frames brings back yours",
        )
        return {"FINISHED"}
