# SPDX-License-Identifier: GPL-3.0-or-later
"""How the messages of `protocol` are described, and how a message's fields are checked.

Standard library only. This file stands twice, byte for byte the same: in the engine (`hffne/service/message_fields.py`)
and in the Blender extension (`hffne_blender/engine/message_fields.py`), because neither may import the other.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

_HALVES = re.compile("[\ud800-\udfff]")


class ProtocolError(ValueError):
    """A message that is not as described here; the text names the field or array.

    hint: what a user can do about it, or "".
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ArrayError(ProtocolError):
    """An array that is not as described here."""


class ArrayLike(Protocol):
    """What is checked of an array: numpy's attributes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each dimension."""

    @property
    def dtype(self) -> Any:
        """numpy's dtype, of which `kind` and `itemsize` are read."""


@dataclass(frozen=True)
class Field:
    """One key of a message.

    kind      "integer", "number", "boolean", "text", "object", "texts", "numbers", "objects" or "face"
    meaning   what it says, with its unit
    required  whether it must be there; if not, `default` is used
    low, high, step   limits of a number; of a list, the limits of its length
    choices   the possible texts
    hint      what a user can do about a wrong value, "" where only a program can have sent it
    """

    kind: str
    meaning: str
    required: bool = True
    default: Any = None
    low: float | None = None
    high: float | None = None
    step: int = 1
    choices: tuple[str, ...] = ()
    hint: str = ""

    def expected(self) -> str:
        """The possible values in words."""
        if self.kind in ("integer", "number"):
            text = "a whole number" if self.kind == "integer" else "a number"
            text += "" if self.low is None else f" from {self.low:g}"
            text += "" if self.high is None else f" to {self.high:g}"
            return text + (f", a multiple of {self.step}" if self.step > 1 else "")
        if self.kind in ("texts", "numbers", "objects"):
            count = "" if self.low is None or self.high is None else f"{self.low:g} to {self.high:g} "
            count = f"{self.low:g} " if self.low is not None and self.low == self.high else count
            return f"a list of {count}{self.kind}" + (f" out of {', '.join(self.choices)}" if self.choices else "")
        return {
            "boolean": "true or false",
            "text": " or ".join(self.choices) or "a text that is not empty",
            "object": "an object",
            "face": '"largest" or a whole number from 0',
        }[self.kind]

    def allows(self, value: object) -> bool:
        """Whether a value is as described. True is no number."""
        if self.kind == "boolean":
            return isinstance(value, bool)
        if self.kind == "integer":
            return type(value) is int and self._within(value) and value % self.step == 0
        if self.kind == "number":
            return _is_number(value) and self._within(value)
        if self.kind == "text":
            return is_text(value) and bool(value) and (not self.choices or value in self.choices)
        if self.kind == "object":
            return isinstance(value, dict)
        if self.kind == "face":
            return value == "largest" or (type(value) is int and value >= 0)
        if not isinstance(value, list) or not self._within(len(value)):
            return False
        if self.kind == "texts":
            return all(is_text(item) and (not self.choices or item in self.choices) for item in value)
        return all(_is_number(item) if self.kind == "numbers" else isinstance(item, dict) for item in value)

    def _within(self, value: Any) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True)
class Array:
    """One array of a message, row 0 at the top unless `meaning` says otherwise.

    dtype     as in frames: "f4" float32, "i4" int32, "u1" uint8, "u2" uint16
    shape     lengths; a letter stands for the same length in all arrays of the message, see protocol.MAX_LENGTHS
    meaning   what it holds, with unit and color space
    """

    dtype: str
    shape: tuple[int | str, ...]
    meaning: str
    required: bool = True


@dataclass(frozen=True)
class Message:
    """The fields and arrays of one message, beside "type" and "id"."""

    meaning: str
    fields: Mapping[str, Field] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)


def checked_fields(described: Message, message: Mapping[str, Any]) -> dict[str, Any]:
    """The described fields of a message, defaults filled in. Raises ProtocolError for the first wrong one."""
    values = {}
    for name, about in described.fields.items():
        value = message.get(name, about.default)
        if (name in message or about.required) and not about.allows(value):
            raise ProtocolError(f"'{name}' must be {about.expected()}.", about.hint)
        values[name] = value
    return values


def is_text(value: object) -> bool:
    """Whether a value is a text that can be shown and stored: no half of a surrogate pair, no zero byte."""
    return isinstance(value, str) and "\0" not in value and not _HALVES.search(value)


def _is_number(value: object) -> bool:
    """Whether a value is a number that a float can hold, and finite."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
