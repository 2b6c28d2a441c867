# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's installation, drawn in the sidebar at the first run and in the preferences."""

import bpy

from .. import preferences
from ..engine import install, session
from ..operators import install_engine


def draw(layout, context, text):
    """`text(layout, words, icon)` draws words over as many lines as the place asks for."""
    work = session.state.installation
    if session.installing():
        row = layout.row(align=True)
        row.progress(factor=work.progress, text=work.message)
        row.operator("hffne.cancel_install", text="", icon="X")
        _draw_log(layout)
        return
    base = preferences.engine_folder()
    ready = preferences.find_python(context)
    if not ready:
        text(layout, "The engine is not installed yet. It gets a folder of its own; Blender is left as it is.", "INFO")
    if base and not ready:
        _draw_install(layout, context, base, text)
    elif not base and not ready:
        layout.operator("preferences.addon_show", text="Open the Preferences").module = preferences.PACKAGE
    if work is not None and work.state != "done":
        if work.error:
            text(layout, work.error["message"], "ERROR")
            text(layout, work.error["hint"], "BLANK1")
            layout.operator("hffne.show_help", icon="HELP").code = work.error["code"]
        _draw_log(layout)


def _draw_install(layout, context, base, text):
    """The button that installs, or goes on with what was interrupted, and what it will take."""
    half, size = install_engine.left(base)
    if half:
        taken = "" if size is None else f": {size / 1e9:.1f} GB"
        text(layout, f"An installation was interrupted{taken}. It can go on from there, or be removed.", "ERROR")
    build = preferences.engine_build(context)
    room, free = install.ROOM[build] / 1e9, install.free_bytes(base) / 1e9
    text(layout, f"Takes up to {room:.0f} GB ({install.BUILDS[build]}); {free:.0f} GB are free.", "BLANK1")
    own = preferences.get(context)
    if isinstance(own, bpy.types.AddonPreferences):
        # The sidebar is too narrow for both in one row.
        column = layout.column(align=True)
        column.label(text="PyTorch Build")
        column.prop(own, "build", text="")
    if not bpy.app.online_access and not own.wheels_folder:
        text(layout, "Blender may not go online: allow it in the preferences, or choose a folder of wheels.", "ERROR")
        layout.operator("screen.userpref_show", text="Open the Preferences").section = "SYSTEM"
    row = layout.row()
    row.scale_y = 1.4
    row.operator_context = "INVOKE_DEFAULT"
    row.operator("hffne.install_engine", text="Resume Installation" if half else "Install Engine", icon="IMPORT")
    if half:
        row.operator("hffne.remove_engine")


def _draw_log(layout):
    row = layout.row(align=True)
    row.operator("hffne.show_install_log", icon="TEXT")
    row.operator("hffne.show_install_log", text="", icon="COPYDOWN").copy = True


def draw_maintenance(layout, context):
    """Check, repair and remove; what is installed and how much it takes."""
    base = preferences.engine_folder()
    facts = install.state(base) if base else {}
    if facts:
        build = install.BUILDS.get(facts.get("build"), "")
        size = f"{facts.get('bytes', 0) / 1e9:.1f} GB"
        layout.label(text=f"Engine {facts.get('version', '')} for {build}, {size}", icon="CHECKMARK")
        wanted = preferences.engine_build(context)
        if preferences.get(context).build != "AUTO" and wanted != facts.get("build"):
            layout.label(text=f"Repair changes it to {install.BUILDS[wanted]}", icon="INFO")
    other = None if facts else preferences.engine_of_another_blender()
    ready = preferences.find_python(context)
    borrowed = other and ready == other[1]
    if borrowed:
        layout.label(
            text=f"The engine of Blender {other[0]} is used: keep that Blender, or install one here", icon="INFO"
        )
    half, size = install_engine.left(base)
    if half and ready:
        # Else `draw` says so.
        taken = "" if size is None else f": {size / 1e9:.1f} GB"
        layout.label(text=f"An installation was interrupted{taken}", icon="ERROR")
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
