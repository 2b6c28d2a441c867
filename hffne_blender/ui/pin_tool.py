# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool with which pins are moved: its keys, and what is drawn over the viewport while it is chosen."""

from typing import Any

import bpy

from .. import settings
from ..pins import editing, overlay


class HFFNE_TL_pins(bpy.types.WorkSpaceTool):
    """Drag points of the face over its photo; right-click a pin to remove it"""

    bl_space_type = "VIEW_3D"
    bl_context_mode = "OBJECT"
    bl_idname = editing.TOOL
    bl_label = "Correct the Fit"
    bl_description = "Drag points of the face over its photo; right-click a pin to remove it"
    bl_icon = "ops.generic.select"
    bl_widget = None
    bl_keymap = (
        ("hffne.move_pin", {"type": "LEFTMOUSE", "value": "PRESS"}, None),
        ("hffne.remove_pin", {"type": "RIGHTMOUSE", "value": "PRESS"}, None),
    )


_handle: Any = None


def _draw() -> None:
    context = bpy.context
    obj = editing.face(context) if editing.is_on(context) else None
    if obj is not None:
        overlay.draw(context, obj, settings.of(context).pin_photo)


def register() -> None:
    """Register the tool; without a window there is nothing to draw on."""
    global _handle
    if bpy.app.background:
        return
    bpy.utils.register_tool(HFFNE_TL_pins, separator=True)
    _handle = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")


def unregister() -> None:
    """Undo `register`."""
    global _handle
    if _handle is None:
        return
    bpy.types.SpaceView3D.draw_handler_remove(_handle, "WINDOW")
    _handle = None
    bpy.utils.unregister_tool(HFFNE_TL_pins)
