# SPDX-License-Identifier: GPL-3.0-or-later
"""Running an operator once more in the background: what F9 and Shift R do with one that has ended."""

import inspect
from typing import Any

import bpy

from ...engine import session
from ...scene import removal
from ...system.required import required
from .types import OperatorResult

SUFFIX = "_again"

# The faces that each operator (by its class's name) has made by its last run and F9, by their session's number.
_made: dict[str, list[int]] = {}


def remember(operator: bpy.types.Operator, obj: bpy.types.Object) -> None:
    """Keep that an operator has made a face, for `remove_former`."""
    if not _is_edited(operator):
        _made.clear()
    _made.setdefault(operator.bl_idname.removesuffix(SUFFIX), []).append(obj.session_uid)


def remove_former(operator: bpy.types.Operator) -> bool:
    """Remove the faces of an operator's earlier runs where F9 runs it again; whether there were some."""
    if not _is_edited(operator):
        return False
    numbers = _made.get(operator.bl_idname.removesuffix(SUFFIX), [])
    former = [obj for obj in bpy.data.objects if obj.session_uid in numbers and obj.library is None]
    for obj in former:
        removal.remove(obj)
    return bool(former)


def _is_edited(operator: bpy.types.Operator) -> bool:
    return operator.bl_idname.endswith(SUFFIX) or operator.options.is_repeat


def twin(cls: type[bpy.types.Operator]) -> type[bpy.types.Operator]:
    """An operator that does what `cls`, not yet registered, does for F9, and is not the last one afterwards.

    Blender runs again from F9's open options only what is still the last operator of those that register.
    """
    annotations: dict[str, Any] = {}
    # Blender reads the properties of bases that are no operators; this one's base is one.
    for base in reversed(cls.__mro__):
        if not issubclass(base, bpy.types.bpy_struct):
            annotations |= inspect.get_annotations(base)
    annotations |= inspect.get_annotations(cls)
    own = {
        "__doc__": cls.__doc__,
        "__annotations__": annotations,
        "bl_idname": cls.bl_idname + SUFFIX,
        # F9 finds its step of undo by the label.
        "bl_label": cls.bl_label,
        "bl_options": {"UNDO", "INTERNAL"},
    }
    return type(cls.__name__ + SUFFIX, (cls,), own)


def run_again(
    operator: bpy.types.Operator, context: bpy.types.Context, options: dict[str, Any], replaces: bool
) -> OperatorResult:
    """Start the operator in the background with `options`, after its present run has returned.

    For F9 Blender has undone the first run. Where the new one replaces what that made, this counts as cancelled, and
    Blender brings it back until then; otherwise it counts as done, with nothing made yet. To undo later, from a timer,
    would end Blender when the mouse moves next over F9's options.
    """
    edited = operator.options.is_repeat
    start_later(context, operator.bl_idname + SUFFIX if edited else operator.bl_idname, options)
    return {"FINISHED"} if edited and not replaces else {"CANCELLED"}


def start_later(context: bpy.types.Context, idname: str, options: dict[str, Any]) -> None:
    """Start an operator (by its class's name) in the background as soon as Blender has nothing else to do."""
    module, verb = idname.split("_OT_")
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
