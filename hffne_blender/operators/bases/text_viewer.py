# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts for the user to read: a log, a report, the help page. They open in a Text Editor."""

import bpy

from ...system.required import required
from .types import OperatorMixin, OperatorResult
from .windows import has_window


def show(context: bpy.types.Context, name: str, content: str) -> bpy.types.Text:
    """Put `content` into the text `name` and open it, in an existing Text Editor or a new window; returns the text."""
    text = bpy.data.texts.get(name) or bpy.data.texts.new(name)
    text.from_string(content)
    if has_window(context):
        _open(context, text)
    return text


def _open(context: bpy.types.Context, text: bpy.types.Text) -> None:
    windows = required(context.window_manager).windows
    areas = [area for window in windows for area in required(window.screen).areas if area.type == "TEXT_EDITOR"]
    if areas:
        area = areas[0]
    else:
        # The new window shows a single area: the one that the mouse was over.
        bpy.ops.wm.window_new()
        area = required(windows[-1].screen).areas[0]
        area.type = "TEXT_EDITOR"
    space = area.spaces.active
    assert isinstance(space, bpy.types.SpaceTextEditor)
    space.text, space.top = text, 0
    space.show_word_wrap, space.show_line_numbers, space.show_syntax_highlight = True, False, False


class ShowsLog(OperatorMixin):
    """An operator that opens a log, or copies it to the clipboard."""

    copy: bpy.props.BoolProperty(
        name="Copy", description="Copy it to the clipboard instead of opening it", default=False, options={"SKIP_SAVE"}
    )

    def show_or_copy(self, context: bpy.types.Context, name: str, content: str) -> OperatorResult:
        """Open `content` as the text `name`, or copy it, as the property `copy` says."""
        if self.copy:
            # Without a window Blender has no clipboard.
            if not bpy.app.background:
                required(context.window_manager).clipboard = content
            self.report({"INFO"}, "Copied to the clipboard")
        else:
            show(context, name, content)
            self.report({"INFO"}, f"See the text '{name}'")
        return {"FINISHED"}
