# SPDX-License-Identifier: GPL-3.0-or-later
"""What several panels draw."""

import textwrap
from typing import TYPE_CHECKING

import bpy

from ..engine.client import Task
from ..system.required import required

if TYPE_CHECKING:
    # A mixin is not a panel of its own: only the class that Blender registers derives from Panel.
    from bpy.stub_internal.rna_enums import IconItems
    from bpy.types import Panel as PanelMixin
else:
    PanelMixin = object

# Pixels of an average letter at the default text size, for wrapping messages.
LETTER_WIDTH = 7
# Pixels of a button that is an icon alone, at the default scale.
BUTTON_WIDTH = 28
# The sidebar's width in pixels where there is no region to ask.
DEFAULT_WIDTH = 280


class SidebarPanel(PanelMixin):
    """A panel in the extension's tab of the 3D viewport's sidebar."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Face From Photo"


# The scale of the buttons that start work, and of the progress bar in their place: what lies below does not move.
MAIN_BUTTON = 1.4


def draw_progress(layout: bpy.types.UILayout, task: Task, scale: float = MAIN_BUTTON) -> None:
    """The running task's progress bar with the button that cancels it, as high as what it takes the place of."""
    row = layout.row(align=True)
    row.scale_y = scale
    row.progress(factor=task.progress, text=task.message or "Starting the engine")
    row.operator("hffne.cancel", text="", icon="X")


def draw_text(
    context: bpy.types.Context, layout: bpy.types.UILayout, text: str, icon: "IconItems" = "NONE", beside: int = 0
) -> None:
    """A text, wrapped to the sidebar's width; the icon stands in the first line, and `beside` buttons beside it."""
    width = (context.region.width if context.region else DEFAULT_WIDTH) - beside * BUTTON_WIDTH
    # The scale is 0 until a window has been drawn.
    letter = LETTER_WIDTH * (required(context.preferences).system.ui_scale or 1)
    letters = max(20, int(width / letter) - 4)
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, icon=icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE"))
