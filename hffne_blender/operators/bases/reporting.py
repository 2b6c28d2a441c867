# SPDX-License-Identifier: GPL-3.0-or-later
"""How an operator reports an error: in Blender's status bar, in the panel and to scripts."""

from collections.abc import Mapping
from typing import Any

import bpy

from ...engine import session
from ...numeric.checked_arrays import ReceivedFaceError
from ...system.errors import ExtensionError
from .types import OperatorResult

# The errors that a user can see.
UserError = ExtensionError | ReceivedFaceError


def fail(operator: bpy.types.Operator, error: Mapping[str, Any] | UserError) -> OperatorResult:
    """Report an error, keep it for the panel, and return the operator's result."""
    fields = as_dict(error)
    session.fail(fields)
    operator.report({"ERROR"}, text_of(fields))
    return {"CANCELLED"}


def as_dict(error: Mapping[str, Any] | UserError) -> dict[str, Any]:
    """An error as {"code", "message", "hint", ...}, see `ExtensionError.as_dict`."""
    if isinstance(error, ReceivedFaceError):
        error = ExtensionError("bad_asset", str(error), "Install the engine and the extension in the same version.")
    return error.as_dict() if isinstance(error, ExtensionError) else dict(error)


def text_of(error: Mapping[str, Any]) -> str:
    """An error's message and hint in one text."""
    return " ".join(part for part in (error["message"], error["hint"]) if part)
