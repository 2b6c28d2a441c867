# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.relight_photo`: the photo as a card that a movable light shades.

bpy.ops.hffne.relight_photo(light=(-0.1, -0.1, 0.1))
"""

import bpy

from ..studio import relight
from ..studio.place import face_at
from ..system.required import required
from .bases.polls import OnFace
from .bases.types import OperatorResult


class HFFNE_OT_relight_photo(OnFace, bpy.types.Operator):
    """Add the photo beside the face, with a light to move around; replaces the one added before"""

    bl_idname = "hffne.relight_photo"
    bl_label = "Relight the Photo"
    bl_options = {"REGISTER", "UNDO"}

    light: bpy.props.FloatVectorProperty(
        name="Light",
        description="Position of the light from the center of the photo: right, away from the viewer, up",
        subtype="TRANSLATION",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        if relight.images_of(required(face_at(context.object))) is None:
            cls.poll_message_set("This face has no map Photo Relighting: enable it under Output and generate again")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        _, light = relight.add(required(context.scene), required(face_at(context.object)))
        if self.properties.is_property_set("light"):
            light.location = self.light
        return {"FINISHED"}
