# SPDX-License-Identifier: GPL-3.0-or-later
"""The main panel in the 3D viewport's sidebar, in the order of the work: photo, face, button, progress, output."""

from typing import Any

import bpy
from bl_ui.utils import PresetPanel

from .. import check_boxes, preferences, settings
from ..engine import session
from ..photo import clipboard, detected_faces, image_file
from ..system.required import required
from . import engine_setup
from .layouts import MAIN_BUTTON, SidebarPanel, draw_progress, draw_text

# The scale of a row of thumbnails, divided by their number, and how many are in a row.
THUMBNAIL_SCALE, THUMBNAIL_COLUMNS = 10, 3
# The scale of the photo's picture.
OVERVIEW_SCALE = 6


class HFFNE_PT_face(SidebarPanel, bpy.types.Panel):
    """The photo, its faces, the button that generates, and the engine's state."""

    bl_idname = "HFFNE_PT_face"
    bl_label = "Face From Photo"

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        chosen = settings.of(context)
        ready = preferences.find_python(context)
        if session.installing() or not ready:
            engine_setup.draw(layout.box(), context, lambda place, text, icon: draw_text(context, place, text, icon))
        _draw_source(layout, chosen)
        _draw_faces(context, layout, chosen, bool(ready))
        if session.running():
            draw_progress(layout, session.state.task)
        else:
            row = layout.row()
            row.scale_y = MAIN_BUTTON
            row.enabled = bool(detected_faces.key(chosen) and ready)
            row.operator_context = "INVOKE_DEFAULT"
            row.operator("hffne.generate", icon="USER")
        # Always there and of one height, for what lies below must not move under the mouse.
        row = layout.row(align=True)
        row.label(text=_engine_state(bool(ready)), icon="CHECKMARK" if session.device() else "BLANK1")
        row.menu("HFFNE_MT_engine", text="", icon="DOWNARROW_HLT")
        if session.state.last_error is not None and not session.running():
            _draw_error(context, layout.box(), session.state.last_error)


class HFFNE_MT_engine(bpy.types.Menu):
    """What can be done with the engine, the process that runs the networks."""

    bl_idname = "HFFNE_MT_engine"
    bl_label = "Engine"
    bl_description = "Release the engine's memory, read its log, and its preferences"

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        layout.operator("hffne.release_engine", icon="CANCEL")
        layout.operator("hffne.show_log", icon="TEXT")
        layout.operator("hffne.write_report", icon="FILE_TEXT")
        layout.separator()
        layout.operator("preferences.addon_show", text="Preferences", icon="PREFERENCES").module = preferences.PACKAGE


class HFFNE_PT_output_presets(PresetPanel, bpy.types.Panel):
    """Presets of the output: the extension's own and the user's."""

    bl_label = "Output Presets"
    preset_subdir = settings.PRESETS
    preset_operator = "script.execute_preset"
    preset_add_operator = "hffne.output_preset_add"


class HFFNE_PT_result(SidebarPanel, bpy.types.Panel):
    """The textures and the mesh that are generated."""

    bl_idname = "HFFNE_PT_result"
    bl_parent_id = "HFFNE_PT_face"
    bl_label = "Output"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        HFFNE_PT_output_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        layout.use_property_split = True
        layout.use_property_decorate = False
        chosen = settings.of(context)
        # With thumbnails of the faces there is no need for a number.
        detected = detected_faces.state.photo and detected_faces.state.photo == detected_faces.key(chosen)
        for name in (*settings.output_names(chosen.base), *(() if detected else ("face",))):
            layout.prop(chosen, name)
        check_boxes.draw(layout, chosen, settings.MAPS, "Maps")


def _draw_source(layout: bpy.types.UILayout, chosen: settings.HFFNE_Settings) -> None:
    """The photo: a file, an open image, or the clipboard."""
    column = layout.column(align=True)
    row = column.row(align=True)
    row.prop(chosen, "source", expand=True)
    if clipboard.available():
        row.operator("hffne.paste_photo", text="", icon="PASTEDOWN")
    if chosen.source == "IMAGE":
        column.prop(chosen, "image", text="")
        return
    row = column.row(align=True)
    row.prop(chosen, "photo", text="", placeholder="Photo")
    row.operator_context = "INVOKE_DEFAULT"
    row.operator("hffne.open_photo", text="", icon="FILEBROWSER")


def _engine_state(ready: bool) -> str:
    """One line on the engine."""
    if session.device():
        return f"Ready: {session.device()}"
    if session.alive():
        return "The engine is starting"
    return "The engine starts when needed" if ready else "The engine is not installed"


def _draw_faces(
    context: bpy.types.Context, layout: bpy.types.UILayout, chosen: settings.HFFNE_Settings, ready: bool
) -> None:
    """Two lines on the photo, which are always there, its picture or room for it, and the faces to choose from."""
    detected = bool(detected_faces.state.photo) and detected_faces.state.photo == detected_faces.key(chosen)
    icons = detected_faces.icons() if detected else []
    column = layout.column(align=True)
    if detected and detected_faces.state.message:
        draw_text(context, column, detected_faces.state.message, icon="ERROR")
        column.label(text="")
    else:
        for line in _photo_state(context, chosen, detected):
            column.label(text=line)
    if ready and detected_faces.key(chosen):
        # Also before the faces are known, for the button below must not move away from the mouse.
        overview = detected_faces.state.overview if detected else 0
        column.template_icon(icon_value=overview or _photo_icon(column, chosen) or _blank(), scale=OVERVIEW_SCALE)
    if len(icons) < 2:
        return
    columns = min(len(icons), THUMBNAIL_COLUMNS)
    grid = column.grid_flow(row_major=True, columns=columns, even_columns=True, align=True)
    for number, icon in enumerate(icons, 1):
        cell = grid.column(align=True)
        if icon:
            cell.template_icon(icon_value=icon, scale=THUMBNAIL_SCALE / columns)
        cell.prop_enum(chosen, "shown_face", str(number), text=str(number))


def _photo_icon(layout: bpy.types.UILayout, chosen: settings.HFFNE_Settings) -> int:
    """The number of the icon of the photo alone, where its faces are not known or there are none."""
    if chosen.source == "IMAGE":
        return layout.icon(chosen.image) if chosen.image is not None else 0
    return detected_faces.photo_icon(image_file.path_of(chosen.photo))


def _blank() -> int:
    """The number of the icon that shows nothing."""
    layout: Any = bpy.types.UILayout.bl_rna
    return int(layout.functions["label"].parameters["icon"].enum_items["BLANK1"].value)


def _photo_state(context: bpy.types.Context, chosen: settings.HFFNE_Settings, detected: bool) -> tuple[str, str]:
    """What is known of the photo's faces, or what to do next, in two lines."""
    if not detected_faces.key(chosen):
        return "Choose a photo with a face", ""
    faces = detected_faces.of(context) if detected else []
    if not faces:
        waiting = detected_faces.state.awaited == detected_faces.key(chosen)
        return ("Looking for faces" if waiting else "Press Generate Face"), ""
    _, _, width, height = faces[min(max(chosen.face, 1), len(faces)) - 1].box
    detail = detected_faces.useful_detail(width, height, session.device_kind())
    count = (
        f"{len(faces)} faces: choose one ({round(width)} px wide)"
        if len(faces) > 1
        else f"1 face, {round(width)} px wide"
    )
    return count, f"Detail up to {detail}, texture size {detected_faces.useful_texture_size(width)}"


def _draw_error(context: bpy.types.Context, layout: bpy.types.UILayout, error: dict[str, str]) -> None:
    """The last error with its hint, help and log."""
    row = layout.row(align=True)
    draw_text(context, row, error["message"], icon="ERROR", beside=1)
    row.operator("hffne.dismiss_error", text="", icon="X", emboss=False)
    draw_text(context, layout, error["hint"])
    row = layout.row(align=True)
    row.operator("hffne.show_help", icon="HELP").code = error["code"]
    row.operator("hffne.show_log", icon="TEXT")
    row.operator("hffne.show_log", text="", icon="COPYDOWN").copy = True
