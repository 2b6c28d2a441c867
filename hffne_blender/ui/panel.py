# SPDX-License-Identifier: GPL-3.0-or-later
"""The main panel in the 3D viewport's sidebar, in the order of the work: photo, face, button, progress, output."""

import bpy

from .. import preferences, settings
from ..engine import session
from ..photo import clipboard, detected_faces
from ..system.required import required
from . import engine_setup
from .layouts import SidebarPanel, draw_progress, draw_text

# The scale of a row of thumbnails, divided by their number, and how many are in a row.
THUMBNAIL_SCALE, THUMBNAIL_COLUMNS = 10, 3


class HFFNE_PT_face(SidebarPanel, bpy.types.Panel):
    """The photo, its faces, the button that generates, and the engine's state."""

    bl_idname = "HFFNE_PT_face"
    bl_label = "Face From Photo"

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        chosen = settings.of(context)
        _draw_source(layout, chosen)
        _draw_faces(context, layout, chosen)

        if session.running():
            draw_progress(layout, session.state.task)
        else:
            row = layout.row()
            row.scale_y = 1.4
            row.enabled = bool(detected_faces.key(chosen))
            row.operator_context = "INVOKE_DEFAULT"
            row.operator("hffne.generate", icon="USER")
            if session.installing() or not preferences.find_python(context):
                engine_setup.draw(
                    layout.box(), context, lambda place, text, icon: draw_text(context, place, text, icon)
                )
            elif session.state.last_error is not None:
                _draw_error(context, layout.box(), session.state.last_error)
        if session.device():
            column = layout.column(align=True)
            column.label(text=f"Ready: {session.device()}", icon="CHECKMARK")
            column.operator("hffne.release_engine")


class HFFNE_PT_result(SidebarPanel, bpy.types.Panel):
    """The textures and the mesh that are generated."""

    bl_idname = "HFFNE_PT_result"
    bl_parent_id = "HFFNE_PT_face"
    bl_label = "Output"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = settings.of(context)
        # With thumbnails of the faces there is no need for a number.
        detected = detected_faces.state.photo and detected_faces.state.photo == detected_faces.key(chosen)
        for name in (*settings.output_names(chosen.base), *(() if detected else ("face",))):
            layout.prop(chosen, name)
        layout.column().prop(chosen, "maps")


def _draw_source(layout: bpy.types.UILayout, chosen: settings.HFFNE_Settings) -> None:
    """The photo: a file, an open image, or the clipboard."""
    column = layout.column(align=True)
    row = column.row(align=True)
    row.prop(chosen, "source", expand=True)
    if clipboard.available():
        row.operator("hffne.paste_photo", text="", icon="PASTEDOWN")
    column.prop(chosen, "image" if chosen.source == "IMAGE" else "photo", text="")


def _draw_faces(context: bpy.types.Context, layout: bpy.types.UILayout, chosen: settings.HFFNE_Settings) -> None:
    """The faces on the photo, when there are several or none."""
    if not detected_faces.state.photo or detected_faces.state.photo != detected_faces.key(chosen):
        return
    if detected_faces.state.message:
        draw_text(context, layout, detected_faces.state.message, icon="ERROR")
    icons = detected_faces.icons()
    if len(icons) < 2:
        return
    column = layout.column(align=True)
    column.label(text=f"{len(icons)} faces: choose one")
    columns = min(len(icons), THUMBNAIL_COLUMNS)
    grid = column.grid_flow(row_major=True, columns=columns, even_columns=True, align=True)
    for number, icon in enumerate(icons, 1):
        cell = grid.column(align=True)
        if icon:
            cell.template_icon(icon_value=icon, scale=THUMBNAIL_SCALE / columns)
        cell.prop_enum(chosen, "shown_face", str(number), text=str(number))


def _draw_error(context: bpy.types.Context, layout: bpy.types.UILayout, error: dict[str, str]) -> None:
    """The last error with its hint, help and log."""
    draw_text(context, layout, error["message"], icon="ERROR")
    draw_text(context, layout, error["hint"])
    row = layout.row(align=True)
    row.operator("hffne.show_help", icon="HELP").code = error["code"]
    row.operator("hffne.show_log", icon="TEXT")
    row.operator("hffne.show_log", text="", icon="COPYDOWN").copy = True
