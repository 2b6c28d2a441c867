# SPDX-License-Identifier: GPL-3.0-or-later
"""The image on the system's clipboard. Blender pastes it only into an Image Editor, so one is used for a moment."""

import os
import sys
from typing import Any

import bpy

from ..engine.client import EngineError


def available() -> bool:
    """Whether this Blender can read images from the clipboard. Under X11 it cannot (seen in 4.3 and 5.2)."""
    system = sys.platform in ("win32", "darwin") or "WAYLAND_DISPLAY" in os.environ
    return system and "clipboard_paste" in dir(bpy.ops.image)


def paste(context: bpy.types.Context) -> bpy.types.Image:
    """A new packed image with the clipboard's pixels. Raises EngineError when there are none."""
    if not available():
        text = "Blender cannot read images from the clipboard on this system."
        raise EngineError("no_clipboard", text, "Save the picture as a file and choose that.")
    nothing = EngineError("no_clipboard", "There is no picture on the clipboard.", "Copy one in another program first.")
    editor = _editor(context)
    if editor is None:
        raise nothing
    window, area, borrowed = editor
    before = set(bpy.data.images)
    area_type = area.type
    try:
        if borrowed:
            area.type = "IMAGE_EDITOR"
        space = area.spaces.active
        assert isinstance(space, bpy.types.SpaceImageEditor)
        shown = space.image
        region = next(region for region in area.regions if region.type == "WINDOW")
        with context.temp_override(window=window, area=area, region=region):
            operators: Any = bpy.ops.image
            if not operators.clipboard_paste.poll():
                raise nothing
            try:
                operators.clipboard_paste()
            except RuntimeError:
                raise nothing from None
        space.image = shown
    finally:
        if borrowed:
            area.type = area_type
    image = next((image for image in bpy.data.images if image not in before), None)
    if image is None:
        raise nothing
    # Unpacked it would be lost at the end of the session.
    image.pack()
    return image


def _editor(context: bpy.types.Context) -> tuple[bpy.types.Window, bpy.types.Area, bool] | None:
    """(window, area, whether it is another kind of editor): an Image Editor, else the smallest area not in use."""
    manager = context.window_manager
    windows = manager.windows if manager is not None else ()
    areas = [(window, area) for window in windows for area in window.screen.areas]
    for window, area in areas:
        if area.type == "IMAGE_EDITOR":
            return window, area, False
    # The editor whose button was pressed must keep its regions until the operator has ended.
    others = [(window, area) for window, area in areas if area != context.area] or areas
    if not others:
        return None
    window, area = min(others, key=lambda pair: pair[1].width * pair[1].height)
    return window, area, True
