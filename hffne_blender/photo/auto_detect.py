# SPDX-License-Identifier: GPL-3.0-or-later
"""When another photo is chosen in a window, the engine looks for its faces."""

import bpy

from ..engine import session
from . import detected_faces

# Seconds after the choice: a path is chosen and changed again within a moment.
DELAY = 0.3


def changed(self, context):
    """Called by Blender for each change of what is chosen. A script asks when it wants to know."""
    # It was about the photo before.
    session.forget_error()
    if bpy.app.background or not context.window_manager.windows:
        return
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    bpy.app.timers.register(_look, first_interval=DELAY)


def _look():
    context = bpy.context
    windows = context.window_manager.windows
    if not windows:
        return
    with context.temp_override(window=windows[0]):
        if detected_faces.key(bpy.context.scene.hffne) and bpy.ops.hffne.find_faces.poll():
            bpy.ops.hffne.find_faces("INVOKE_DEFAULT")


def unregister():
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
