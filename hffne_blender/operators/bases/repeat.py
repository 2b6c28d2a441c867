# SPDX-License-Identifier: GPL-3.0-or-later
"""Running an operator once more in the background: what F9 and Shift R do with one that has ended."""

from typing import Any

import bpy

from ...engine import session
from ...system.required import required
from .types import OperatorResult


def run_again(operator: bpy.types.Operator, context: bpy.types.Context, options: dict[str, Any]) -> OperatorResult:
    """Start the operator in the background with `options`, after its present run has returned.

    For F9 Blender has undone the first run, and this one counts as done, with nothing made yet. To bring the first
    one's result back until the new one is there would take an undo from a timer, and that ends Blender when the mouse
    moves next over F9's options.
    """
    edited = operator.options.is_repeat
    module, verb = operator.bl_idname.split("_OT_")
    # By its place: an undo makes the window anew.
    place = list(required(context.window_manager).windows).index(required(context.window))

    def start() -> None:
        windows = list(required(bpy.context.window_manager).windows)
        if session.running() or not windows:
            return
        # The window of a file browser is closed by now.
        with bpy.context.temp_override(window=windows[place if place < len(windows) else 0]):
            getattr(getattr(bpy.ops, module.lower()), verb)("EXEC_DEFAULT", True, **{**options, "in_background": True})

    bpy.app.timers.register(start, first_interval=0)
    return {"FINISHED"} if edited else {"CANCELLED"}
