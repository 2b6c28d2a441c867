# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's installation, drawn in the sidebar at the first run and in the preferences."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import bpy

from .. import preferences
from ..engine import installed, session, torch_builds
from ..operators.bases.installation import half_installation

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems

# Draws a text with an icon, wrapped where the place is narrow.
DrawText = Callable[[bpy.types.UILayout, str, "IconItems"], None]


def draw(layout: bpy.types.UILayout, context: bpy.types.Context, draw_text: DrawText) -> None:
    """The running installation, or what an engine that is not installed needs."""
    work = session.state.installation
    if work is not None and session.installing():
        row = layout.row(align=True)
        row.progress(factor=work.progress, text=work.message)
        row.operator("hffne.cancel_install", text="", icon="X")
        _draw_log(layout)
        return
    base = preferences.engine_folder()
    ready = preferences.find_python(context)
    if not ready:
        draw_text(
            layout,
            "The engine is not installed yet. It gets a folder of its own; Blender itself is not changed.",
            "INFO",
        )
    if base and not ready:
        _draw_install(layout, context, base, draw_text)
    elif not base and not ready:
        layout.operator("preferences.addon_show", text="Open the Preferences").module = preferences.PACKAGE
    if work is not None and work.state != "done":
        if work.error:
            draw_text(layout, work.error["message"], "ERROR")
            draw_text(layout, work.error["hint"], "BLANK1")
            layout.operator("hffne.show_help", icon="HELP").code = work.error["code"]
        _draw_log(layout)


def _draw_install(layout: bpy.types.UILayout, context: bpy.types.Context, base: str, draw_text: DrawText) -> None:
    """The button that starts or resumes an installation, and the disk space that it needs."""
    half, size = half_installation(base)
    if half:
        text = f"An installation was interrupted{_size(size)}. It can be resumed or removed."
        draw_text(layout, text, "ERROR")
    build = preferences.engine_build(context)
    room, free = torch_builds.ROOM[build] / 1e9, installed.free_bytes(base) / 1e9
    draw_text(
        layout,
        f"Needs up to {room:.0f} GB during installation ({torch_builds.BUILDS[build]}); {free:.0f} GB are free.",
        "BLANK1",
    )
    own = preferences.get(context)
    if isinstance(own, bpy.types.AddonPreferences):
        # The sidebar is too narrow for label and menu in one row.
        column = layout.column(align=True)
        column.label(text="PyTorch Build")
        column.prop(own, "build", text="")
    if not bpy.app.online_access and not own.wheels_folder:
        text = "Online access is disabled: allow it in the preferences, or choose a folder of wheels."
        draw_text(layout, text, "ERROR")
        layout.operator("screen.userpref_show", text="Open the Preferences").section = "SYSTEM"
    row = layout.row()
    row.scale_y = 1.4
    row.operator_context = "INVOKE_DEFAULT"
    row.operator("hffne.install_engine", text="Resume Installation" if half else "Install Engine", icon="IMPORT")
    if half:
        # Below: beside it there is no room for the words of both.
        layout.operator("hffne.remove_engine")


def _draw_log(layout: bpy.types.UILayout) -> None:
    row = layout.row(align=True)
    row.operator("hffne.show_install_log", icon="TEXT")
    row.operator("hffne.show_install_log", text="", icon="COPYDOWN").copy = True


def _size(size: int | None) -> str:
    return "" if size is None else f": {size / 1e9:.1f} GB"


def draw_maintenance(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The installed engine's version and size, and the buttons that check, repair and remove it."""
    base = preferences.engine_folder()
    facts = installed.state(base) if base else {}
    if facts:
        build = torch_builds.BUILDS.get(str(facts.get("build")), "")
        size = f"{facts.get('bytes', 0) / 1e9:.1f} GB"
        layout.label(text=f"Engine {facts.get('version', '')} for {build}, {size}", icon="CHECKMARK")
        wanted = preferences.engine_build(context)
        if preferences.get(context).build != "AUTO" and wanted != facts.get("build"):
            layout.label(text=f"Repair changes it to {torch_builds.BUILDS[wanted]}", icon="INFO")
    other = None if facts else preferences.engine_of_another_blender()
    ready = preferences.find_python(context)
    borrowed = other is not None and ready == other[1]
    if other is not None and borrowed:
        text = f"The engine of Blender {other[0]} is used: keep that Blender, or install one here"
        layout.label(text=text, icon="INFO")
    half, size_left = half_installation(base)
    if half and ready:
        # Otherwise `draw` shows it.
        layout.label(text=f"An installation was interrupted{_size(size_left)}", icon="ERROR")
    row = layout.row(align=True)
    row.operator_context = "INVOKE_DEFAULT"
    row.operator("hffne.check_engine")
    if half and ready:
        row.operator("hffne.install_engine", text="Resume Installation")
    elif borrowed:
        row.operator("hffne.install_engine")
    if facts:
        row.operator("hffne.install_engine", text="Repair").repair = True
    if facts or (half and ready):
        row.operator("hffne.remove_engine")
    work = session.state.installation
    if work is not None and work.state == "done":
        layout.label(text=work.message, icon="CHECKMARK")
