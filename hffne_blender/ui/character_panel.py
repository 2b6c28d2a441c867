# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the panel for the artist's own head: which face goes onto which mesh, landmarks, apply."""

import bpy

from ..character import landmarks
from ..engine import session
from ..operators import ask
from ..scene import export, face_attributes
from .panel import _Panel, draw_progress


class HFFNE_PT_character(_Panel, bpy.types.Panel):
    bl_idname = "HFFNE_PT_character"
    bl_parent_id = "HFFNE_PT_face"
    bl_label = "My Own Character"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout = self.layout
        target = context.object
        if target is None or target.type != "MESH" or face_attributes.is_face(target):
            layout.label(text="Select your head's mesh", icon="INFO")
            return
        face = ask.face_for(context, target)
        column = layout.column(align=True)
        if len(ask.faces_in(context, target)) > 1:
            column.prop(context.scene.hffne, "applied_face", text="", icon="USER", placeholder=face.name)
        else:
            column.label(text=face.name if face else "No face yet: generate one", icon="USER")
        column.label(text=target.name, icon="MESH_DATA")
        count = len(landmarks.empties_of(target))
        if session.running():
            draw_progress(layout, session.state.task)
            return
        row = layout.row(align=True)
        row.operator_context = "INVOKE_DEFAULT"
        row.operator("hffne.place_landmarks", text="Find Again" if count else "Add Landmarks", icon="EMPTY_AXIS")
        if count:
            row.label(text=f"{count} landmarks")
        apply = layout.column()
        apply.enabled = face is not None
        apply.scale_y = 1.4
        apply.operator_context = "INVOKE_DEFAULT"
        apply.operator("hffne.apply_to_mesh", icon="MOD_DATA_TRANSFER")
        if export.maps_of(target):
            column = layout.column()
            column.operator_context = "INVOKE_DEFAULT"
            column.operator("hffne.export_maps", icon="EXPORT")
