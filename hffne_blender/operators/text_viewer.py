# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts for the user to read: a log, a report, the help page. They are opened where they can be read."""

import bpy

from .ask import has_window


def show(context, name, content):
    """Put `content` into the text `name` and open it, in a Text Editor that is there, else in a window of its own.

    Returns the text.
    """
    text = bpy.data.texts.get(name) or bpy.data.texts.new(name)
    text.from_string(content)
    if has_window(context):
        _open(context, text)
    return text


def _open(context, text):
    windows = context.window_manager.windows
    areas = [area for window in windows for area in window.screen.areas if area.type == "TEXT_EDITOR"]
    if areas:
        area = areas[0]
    else:
        # It shows the one area that the mouse was over.
        bpy.ops.wm.window_new()
        area = windows[-1].screen.areas[0]
        area.type = "TEXT_EDITOR"
    space = area.spaces.active
    space.text, space.top = text, 0
    space.show_word_wrap, space.show_line_numbers = True, False


def copy_property():
    return bpy.props.BoolProperty(
        name="Copy", description="Copy it to the clipboard instead of opening it", default=False, options={"SKIP_SAVE"}
    )


def show_or_copy(operator, context, name, content):
    """What the operators of the logs do, as their `copy` says; returns the operator's state."""
    if operator.copy:
        # Blender without a window has no clipboard.
        if not bpy.app.background:
            context.window_manager.clipboard = content
        operator.report({"INFO"}, "Copied to the clipboard")
    else:
        show(context, name, content)
        operator.report({"INFO"}, f"See the text '{name}'")
    return {"FINISHED"}
