# SPDX-License-Identifier: GPL-3.0-or-later
"""Detects the faces of a photo when it is chosen in a window."""

from typing import Any

import bpy

from ..engine import session
from ..system.required import required
from . import detected_faces

# Seconds after the choice: a path is chosen and changed again within a moment.
DELAY = 0.3


def changed(self: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """Called by Blender for each change of the choice. A script calls `find_faces` itself when it needs the faces."""
    # The error belonged to the photo before.
    session.forget_error()
    if bpy.app.background or not required(context.window_manager).windows:
        return
    if bpy.app.timers.is_registered(_detect):
        bpy.app.timers.unregister(_detect)
    bpy.app.timers.register(_detect, first_interval=DELAY)


def _detect() -> None:
    context = bpy.context
    windows = required(context.window_manager).windows
    if not windows:
        return
    operators: Any = bpy.ops
    with context.temp_override(window=windows[0]):
        scene: Any = bpy.context.scene
        if detected_faces.key(scene.hffne) and operators.hffne.find_faces.poll():
            operators.hffne.find_faces("INVOKE_DEFAULT")


@bpy.app.handlers.persistent
def _opened(*_: object) -> None:
    """Another file is open: Blender has forgotten the faces, and the photo may be another one."""
    context = bpy.context
    detected_faces.clear(context)
    # Opening a file starts no engine.
    if session.alive() and not bpy.app.timers.is_registered(_detect):
        bpy.app.timers.register(_detect, first_interval=DELAY)


def register() -> None:
    """Detect again when another file is opened."""
    bpy.app.handlers.load_post.append(_opened)


def unregister() -> None:
    """Undo `register`, and cancel a detection that has not begun."""
    if _opened in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(_opened)
    if bpy.app.timers.is_registered(_detect):
        bpy.app.timers.unregister(_detect)
