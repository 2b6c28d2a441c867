# SPDX-License-Identifier: GPL-3.0-or-later
"""Running an operator once more in the background: what F9 and Shift R do with one that has ended."""

from typing import Any

import bpy

from ...engine import session
from ...system.required import required
from .types import OperatorResult


def run_again(operator: bpy.types.Operator, context: bpy.types.Context, options: dict[str, Any]) -> OperatorResult:
    """Start the operator in the background with `options`, after its present run has returned.

    For F9 Blender has undone the first run and expects this one to be done on return; when it is not, it brings the
    first one's result back. So it gets that here; the timer then undoes it for good and starts the new run.
    """
    edited = operator.options.is_repeat
    module, verb = operator.bl_idname.split("_OT_")
    window = context.window

    def start() -> None:
        windows = list(required(bpy.context.window_manager).windows)
        if session.running() or not windows:
            return
        # The window of a file browser is closed by now.
        with bpy.context.temp_override(window=window if window in windows else windows[0]):
            if edited:
                bpy.ops.ed.undo()
            getattr(getattr(bpy.ops, module.lower()), verb)("EXEC_DEFAULT", True, **{**options, "in_background": True})

    bpy.app.timers.register(start, first_interval=0)
    return {"CANCELLED"}
