# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in the 3D viewport's sidebar, in the order of the work: photo, face, button, progress, what is made."""

import textwrap

import bpy

from .. import preferences
from ..engine import session
from ..photo import clipboard, detected_faces
from . import engine_setup

# Pixels that a letter takes at the default text size, for wrapping messages.
LETTER_WIDTH = 7
# The width of a row of thumbnails in the height of a button.
THUMBNAIL_SCALE, THUMBNAIL_COLUMNS = 10, 3


class _Panel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "HFFNE"


class HFFNE_PT_face(_Panel, bpy.types.Panel):
    bl_idname = "HFFNE_PT_face"
    bl_label = "Face From Photo"

    def draw(self, context):
        layout = self.layout
        chosen = context.scene.hffne
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
                    layout.box(), context, lambda place, words, icon: draw_text(context, place, words, icon)
                )
            elif session.state.last_error is not None:
                box = layout.box()
                draw_text(context, box, session.state.last_error["message"], icon="ERROR")
                draw_text(context, box, session.state.last_error["hint"])
                row = box.row(align=True)
                row.operator("hffne.show_help", icon="HELP").code = session.state.last_error["code"]
                row.operator("hffne.show_log", icon="TEXT")
                row.operator("hffne.show_log", text="", icon="COPYDOWN").copy = True
        if session.device():
            column = layout.column(align=True)
            column.label(text=f"Ready: {session.device()}", icon="CHECKMARK")
            column.operator("hffne.release_engine")


class HFFNE_PT_result(_Panel, bpy.types.Panel):
    bl_idname = "HFFNE_PT_result"
    bl_parent_id = "HFFNE_PT_face"
    bl_label = "What Is Made"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = context.scene.hffne
        # Else the thumbnails are there to choose from.
        known = detected_faces.state.photo and detected_faces.state.photo == detected_faces.key(chosen)
        for name in ("texture_size", "grid", "color", *(() if known else ("face",))):
            layout.prop(chosen, name)
        layout.column().prop(chosen, "maps")


def _draw_source(layout, chosen):
    """The photo: a file, an open image, or the clipboard."""
    column = layout.column(align=True)
    row = column.row(align=True)
    row.prop(chosen, "source", expand=True)
    if clipboard.available():
        row.operator("hffne.paste_photo", text="", icon="PASTEDOWN")
    column.prop(chosen, "image" if chosen.source == "IMAGE" else "photo", text="")


def _draw_faces(context, layout, chosen):
    """The faces on the photo, where there is a choice or none at all."""
    if not detected_faces.state.photo or detected_faces.state.photo != detected_faces.key(chosen):
        return
    if detected_faces.state.message:
        draw_text(context, layout, detected_faces.state.message, icon="ERROR")
    icons = detected_faces.icons()
    if len(icons) < 2:
        return
    column = layout.column(align=True)
    column.label(text=f"{len(icons)} faces: which one?")
    columns = min(len(icons), THUMBNAIL_COLUMNS)
    grid = column.grid_flow(row_major=True, columns=columns, even_columns=True, align=True)
    for number, icon in enumerate(icons, 1):
        cell = grid.column(align=True)
        if icon:
            cell.template_icon(icon_value=icon, scale=THUMBNAIL_SCALE / columns)
        cell.prop_enum(chosen, "shown_face", str(number), text=str(number))


def draw_progress(layout, task):
    row = layout.row(align=True)
    row.progress(factor=task.progress, text=task.message or "Starting the engine")
    row.operator("hffne.cancel", text="", icon="X")


def draw_text(context, layout, text, icon="NONE"):
    """A text over as many lines as the sidebar's width asks for."""
    width = context.region.width if context.region else 280
    # The scale is 0 until a window has been drawn.
    letter = LETTER_WIDTH * (context.preferences.system.ui_scale or 1)
    letters = max(20, int(width / letter) - 4)
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, icon=icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE"))
