# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's windows: whether there is one, and drawing its panels again."""

import bpy

from ...system.required import required


def has_window(context: bpy.types.Context) -> bool:
    """Whether the operator was started in a window, where timers and modal operators run."""
    return not bpy.app.background and context.window is not None


def redraw_sidebars(context: bpy.types.Context) -> None:
    """Have Blender draw the sidebars of all 3D viewports again."""
    for area in _areas(context):
        if area.type == "VIEW_3D":
            for region in area.regions:
                if region.type == "UI":
                    region.tag_redraw()


def redraw_viewports_and_preferences(context: bpy.types.Context) -> None:
    """Have Blender draw all areas again that show the engine's installation."""
    for area in _areas(context):
        if area.type in ("VIEW_3D", "PREFERENCES"):
            area.tag_redraw()


def _areas(context: bpy.types.Context) -> list[bpy.types.Area]:
    windows = required(context.window_manager).windows
    return [area for window in windows for area in required(window.screen).areas]
