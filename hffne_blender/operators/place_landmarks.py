# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.place_landmarks`: where the eyes, nose and mouth of the artist's own head are."""

import bpy

from ..character import apply
from ..character.errors import TransferError
from ..scene import face_attributes
from .bases.background import InBackground, Work
from .bases.faces import face_for


class HFFNE_OT_place_landmarks(InBackground, bpy.types.Operator):
    """Add landmarks to the active mesh, which you can then move onto its features"""

    bl_idname = "hffne.place_landmarks"
    bl_label = "Add Landmarks"
    bl_options = {"REGISTER", "UNDO"}

    target: bpy.props.StringProperty(
        name="Target", description="The mesh object; empty uses the active one", options={"SKIP_SAVE"}
    )
    face: bpy.props.StringProperty(
        name="Face",
        description="The face object whose landmarks are used when Detect Landmarks is off",
        options={"SKIP_SAVE"},
    )
    find: bpy.props.BoolProperty(
        name="Detect Landmarks",
        description="Detect the landmarks on the mesh; otherwise they start where the face's own landmarks are",
        default=True,
    )

    def work(self, context: bpy.types.Context) -> Work:
        target = bpy.data.objects.get(self.target) if self.target else context.object
        if target is None or target.type != "MESH" or face_attributes.is_face(target):
            raise TransferError("no_target", "No mesh to put landmarks on is chosen.", "Select the head's mesh.")
        face = bpy.data.objects.get(self.face) if self.face else face_for(context, target)
        if not self.find and not face_attributes.is_face(face):
            raise TransferError("no_face_object", "No face from a photo is chosen.", "Generate one first.")
        name = target.name
        empties = yield from apply.place_landmarks(context, target, None if self.find else face)
        self.report({"INFO"}, f"{len(empties)} landmarks on {name}: correct their positions, then apply")
