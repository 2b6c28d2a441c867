# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain data (as JSON gives it) to frozen dataclasses, checked: the first wrong key is named."""

import math
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


@dataclass(frozen=True)
class Range:
    """The values that a number may have; what is None does not limit it."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    multiple: int | None = None

    def wrong(self, value: float) -> str:
        """What is wrong with a value, in words, or ""."""
        if self.least is not None and value < self.least:
            return f"must be at least {self.least}"
        if self.most is not None and value > self.most:
            return f"must be at most {self.most}"
        if self.above is not None and value <= self.above:
            return f"must be greater than {self.above}"
        if self.below is not None and value >= self.below:
            return f"must be less than {self.below}"
        if self.multiple is not None and value % self.multiple:
            return f"must be a multiple of {self.multiple}"
        return ""


class KeyProblem(ValueError):
    """A key that is missing, unknown, or has an impossible value.

    path  the keys that lead to it, joined by dots, or "" for all of it
    text  what is wrong with it, to follow its name
    """

    def __init__(self, path: str, text: str):
        super().__init__(f"{path} {text}")
        self.path, self.text = path, text


def parsed(cls: type[T], data: object, path: str = "") -> T:
    """A dataclass from plain data; every field without a default must be there and nothing else. Raises KeyProblem."""
    if not isinstance(data, dict):
        raise KeyProblem(path, "must be a table")
    hints = get_type_hints(cls, include_extras=True)
    names = [field.name for field in fields(cls)]
    needed = [field.name for field in fields(cls) if field.default is MISSING]
    for key in [*needed, *data]:
        full = f"{path}.{key}" if path else str(key)
        if key not in data:
            raise KeyProblem(full, "is missing")
        if key not in names:
            raise KeyProblem(full, f"is not a key that is known here; known: {', '.join(names)}")
    return cls(
        **{name: _value(hints[name], data[name], f"{path}.{name}" if path else name) for name in names if name in data}
    )


def _value(kind: Any, data: Any, path: str) -> Any:
    """A value of a type from plain data. Raises KeyProblem."""
    if is_dataclass(kind) and isinstance(kind, type):
        return parsed(kind, data, path)
    if get_origin(kind) is Annotated:
        base, *limits = get_args(kind)
        value = _value(base, data, path)
        for text in (limit.wrong(value) for limit in limits if isinstance(limit, Range)):
            if text:
                raise KeyProblem(path, f"is {data!r}, but {text}")
        return value
    if get_origin(kind) is Literal:
        if data not in get_args(kind) or not isinstance(data, str):
            raise KeyProblem(path, f"is {data!r}, but must be one of: {', '.join(get_args(kind))}")
        return data
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), data, path)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        data = float(data)
    if type(data) is not kind:
        raise KeyProblem(path, f"is {data!r}, but must be {_NAMES[kind]}")
    if kind is float and not math.isfinite(data):
        raise KeyProblem(path, f"is {data!r}, but must be finite")
    return data


_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def _tuple(kinds: tuple[Any, ...], data: Any, path: str) -> tuple[Any, ...]:
    """A tuple from a list, of the types `kinds`, or of any length where the second of them is `...`."""
    if not isinstance(data, list | tuple):
        raise KeyProblem(path, f"is {data!r}, but must be a list")
    if len(kinds) == 2 and kinds[1] is ...:
        kinds = (kinds[0],) * len(data)
    if len(data) != len(kinds):
        raise KeyProblem(path, f"has {len(data)} values, but must have {len(kinds)}")
    return tuple(_value(kind, value, f"{path}[{k}]") for k, (kind, value) in enumerate(zip(kinds, data, strict=True)))
