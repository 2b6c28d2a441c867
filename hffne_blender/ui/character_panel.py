# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel for the artist's own head: which face is applied to which mesh, and landmarks."""

import bpy

from .. import settings
from ..character import face_shape, landmarks
from ..engine import session
from ..operators.bases.faces import face_for, faces_in
from ..scene import export, face_attributes
from ..system.required import required
from .layouts import MAIN_BUTTON, SidebarPanel, draw_progress


class HFFNE_PT_character(SidebarPanel, bpy.types.Panel):
    """Apply the detail of a face to the active mesh."""

    bl_idname = "HFFNE_PT_character"
    bl_parent_id = "HFFNE_PT_face"
    bl_label = "My Own Character"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        target = context.object
        if target is None or target.type != "MESH" or face_attributes.is_face(target):
            layout.label(text="Select your head's mesh", icon="INFO")
            return
        face = face_for(context, target)
        column = layout.column(align=True)
        if face is not None and len(faces_in(context, target)) > 1:
            chosen = settings.of(context)
            row = column.row(align=True)
            row.label(text="From")
            row.prop(chosen, "applied_face", text="", icon="USER", placeholder=face.name)
        else:
            column.label(text=f"From {face.name}" if face else "No face yet: generate one", icon="USER")
        column.label(text=f"To {target.name}", icon="MESH_DATA")
        count = len(landmarks.empties_of(target))
        row = layout.row(align=True)
        row.enabled = not session.running()
        row.operator_context = "INVOKE_DEFAULT"
        row.operator("hffne.place_landmarks", text="Detect Again" if count else "Add Landmarks", icon="EMPTY_AXIS")
        if count:
            row.label(text=f"{count} landmarks")
        if session.running():
            draw_progress(layout, session.state.task)
        else:
            apply = layout.column()
            apply.enabled = face is not None
            apply.scale_y = MAIN_BUTTON
            apply.operator_context = "INVOKE_DEFAULT"
            apply.operator("hffne.apply_to_mesh", icon="MOD_DATA_TRANSFER")
        key = face_shape.key_of(target)
        if key is not None:
            layout.prop(key, "value", text=key.name, slider=True)
        if export.maps_of(target):
            column = layout.column()
            column.operator_context = "INVOKE_DEFAULT"
            column.operator("hffne.export_maps", icon="EXPORT")
