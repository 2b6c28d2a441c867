# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator did not expect becomes one sentence: a file may bring along any values, and scripts any meshes."""

import traceback
from collections.abc import Callable
from typing import Any

import bpy

from ...numeric.checked_arrays import ReceivedFaceError
from ...system.errors import ExtensionError
from . import reporting
from .types import OperatorResult

_HINT = "The file may hold values that this extension did not make. The console has the details."


def guard(cls: type) -> None:
    """Let the methods of an operator that Blender calls report what they raise, instead of a traceback.

    The traceback goes to the console. Called before the class is registered.
    """
    if not issubclass(cls, bpy.types.Operator):
        return
    # Blender counts the arguments.
    for name, wrap in (("execute", _with_context), ("invoke", _with_event), ("modal", _with_event)):
        method = getattr(cls, name, None)
        if method is not None and not hasattr(method, "guarded"):
            wrapped: Any = wrap(method)
            wrapped.guarded = True
            setattr(cls, name, wrapped)


def _with_context(method: Callable[..., OperatorResult]) -> Callable[..., OperatorResult]:
    def execute(self: bpy.types.Operator, context: bpy.types.Context) -> OperatorResult:
        try:
            return method(self, context)
        except Exception as error:
            return _told(self, error)

    return execute


def _with_event(method: Callable[..., OperatorResult]) -> Callable[..., OperatorResult]:
    def invoke(self: bpy.types.Operator, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        try:
            return method(self, context, event)
        except Exception as error:
            return _told(self, error)

    return invoke


def _told(operator: bpy.types.Operator, error: Exception) -> OperatorResult:
    if isinstance(error, ExtensionError | ReceivedFaceError):
        return reporting.fail(operator, error)
    traceback.print_exception(error)
    text = " ".join(str(error).split())
    if not isinstance(error, ValueError | OSError) or not text:
        text = f"{type(error).__name__}{f' ({text})' if text else ''}"
    text = f"{operator.bl_label}: {text.rstrip('.')[:300]}."
    return reporting.fail(operator, ExtensionError("internal", text, _HINT))
