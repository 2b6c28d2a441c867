# SPDX-License-Identifier: GPL-3.0-or-later
"""How an operator reports an error: in Blender's status bar, in the panel and to scripts."""

from collections.abc import Mapping

import bpy

from ...character.errors import TransferError
from ...engine import session
from ...engine.client import EngineError
from ...numeric.received_face import ReceivedFaceError
from .types import OperatorResult

# The errors that a user can see.
UserError = EngineError | TransferError | ReceivedFaceError


def fail(operator: bpy.types.Operator, error: Mapping[str, str] | UserError) -> OperatorResult:
    """Report an error, keep it for the panel, and return the operator's result."""
    fields = as_dict(error)
    session.fail(fields)
    operator.report({"ERROR"}, text_of(fields))
    return {"CANCELLED"}


def as_dict(error: Mapping[str, str] | UserError) -> dict[str, str]:
    """An error as {"code", "message", "hint"}."""
    if isinstance(error, ReceivedFaceError):
        hint = "Install the engine and the extension in the same version."
        return {"code": "bad_asset", "message": str(error), "hint": hint}
    return error.as_dict() if isinstance(error, EngineError | TransferError) else dict(error)


def text_of(error: Mapping[str, str]) -> str:
    """An error's message and hint in one text."""
    return " ".join(part for part in (error["message"], error["hint"]) if part)
