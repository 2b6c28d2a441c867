# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture on the system's clipboard. Blender gives it to an Image Editor only, so one is borrowed."""

import os
import sys

import bpy

from ..engine.client import EngineError


def available():
    """Has this Blender a clipboard for pictures? Under X11 it has none (seen in 4.3 and 5.2)."""
    system = sys.platform in ("win32", "darwin") or "WAYLAND_DISPLAY" in os.environ
    return system and "clipboard_paste" in dir(bpy.ops.image)


def paste(context):
    """A new packed image with the clipboard's picture; raises EngineError when there is none."""
    if not available():
        text = "Blender takes no pictures from the clipboard on this system."
        raise EngineError("no_clipboard", text, "Save the picture as a file and choose that.")
    nothing = EngineError("no_clipboard", "There is no picture on the clipboard.", "Copy one in another program first.")
    found = _editor(context)
    if found is None:
        raise nothing
    window, area, borrowed = found
    before = set(bpy.data.images)
    kept = area.type
    try:
        if borrowed:
            area.type = "IMAGE_EDITOR"
        space = area.spaces.active
        shown = space.image
        region = next(region for region in area.regions if region.type == "WINDOW")
        with context.temp_override(window=window, area=area, region=region):
            if not bpy.ops.image.clipboard_paste.poll():
                raise nothing
            try:
                bpy.ops.image.clipboard_paste()
            except RuntimeError:
                raise nothing from None
        space.image = shown
    finally:
        if borrowed:
            area.type = kept
    image = next((image for image in bpy.data.images if image not in before), None)
    if image is None:
        raise nothing
    # Else it would be lost with the session.
    image.pack()
    return image


def _editor(context):
    """(window, area, is it another editor's): an Image Editor, else the smallest area but the one in use."""
    areas = [(window, area) for window in context.window_manager.windows for area in window.screen.areas]
    for window, area in areas:
        if area.type == "IMAGE_EDITOR":
            return window, area, False
    # The editor whose button was pressed must keep its regions until the operator has ended.
    others = [(window, area) for window, area in areas if area != context.area] or areas
    if not others:
        return None
    window, area = min(others, key=lambda pair: pair[1].width * pair[1].height)
    return window, area, True
