# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what the engine sends, before anything uses it: the stated types, and numbers that are finite."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..system.errors import ExtensionError
from . import frames, message_fields, protocol

_UPDATE_BOTH = "Install the engine and the extension in the same version."
_READ_LOG = "Look at the engine's log."
_KILLED = "The system ended it, most likely for lack of memory: close other programs or choose smaller textures."


def check_result(kind: str, message: Mapping[str, Any], arrays: Mapping[str, Any]) -> ExtensionError | None:
    """What is wrong with the result of a request of a kind, or None."""
    described = protocol.RESULTS.get(kind)
    if described is None:
        return None
    try:
        protocol.checked_fields(described, message)
        protocol.check_arrays(described, arrays)
        if kind == "faces":
            for face in message["faces"]:
                protocol.checked_fields(_FACE, face)
    except protocol.ProtocolError as error:
        return ExtensionError("bad_asset", f"The engine's answer is not as expected: {error}", _UPDATE_BOTH)
    return None


def check_error(message: Mapping[str, Any]) -> None:
    """Raise TypeError for an error message without a code and a text."""
    if not all(message_fields.is_text(message.get(name)) and message[name] for name in ("code", "message")):
        raise TypeError("an error has no code or no text")
    if not message_fields.is_text(message.get("hint", "")):
        raise TypeError("an error's hint is no text")


_FACE = protocol.Message(
    "a detected face",
    {
        "box": protocol.Field("numbers", "x, y, width, height in pixels", low=4, high=4),
        "score": protocol.Field("number", "the detector's confidence"),
    },
)


def task_number(message: Mapping[str, Any]) -> int:
    """The number of the task that a message is about; -1 for none."""
    number = message.get("id")
    return number if type(number) is int else -1


def error_of_frame(error: frames.FrameError) -> ExtensionError | None:
    """The error for output that is not what it should be; None where it has only ended in the middle."""
    if isinstance(error, frames.VersionMismatch):
        return ExtensionError(error.code, error.message, _UPDATE_BOTH, fatal=True)
    if isinstance(error, frames.TruncatedFrame):
        return None
    text = f"The engine's output cannot be read: {error}"
    return ExtensionError("engine_garbled", text, _UPDATE_BOTH, fatal=True)


def error_of_end(status: int | None, log: Sequence[str]) -> ExtensionError:
    """Why the process has ended, from its exit status (None: it has not) and the lines of its log."""
    last = next((line.strip() for line in reversed(log) if line.strip()), "")
    if "No module named" in last:
        code = "engine_not_installed"
        hint = "Press Install Engine in the panel, or choose another Engine Python in the preferences."
    else:
        code, hint = "engine_died", _KILLED if status == -9 else _READ_LOG
    text = "The engine stopped" + ("" if status is None else f" (exit code {status})")
    return ExtensionError(code, text + (f": {last}" if last else "."), hint, fatal=True)
