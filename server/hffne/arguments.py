# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what a Python program hands over: a wrong value is one sentence, before anything is computed."""

import operator
from collections.abc import Collection, Iterable
from typing import Any

from hffne.errors import RequestError


def whole(name: str, value: Any, low: int, high: int, step: int = 1) -> int:
    """A whole number from `low` to `high`, a multiple of `step`. Raises RequestError."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or not low <= number <= high or number % step:
        multiple = f", a multiple of {step}" if step > 1 else ""
        raise RequestError(
            f"{name} cannot be {value!r:.60}.", hint=f"Give a whole number from {low} to {high}{multiple}."
        )
    return number


def choice(name: str, value: Any, choices: Collection[str]) -> str:
    """One of some texts. Raises RequestError."""
    if not isinstance(value, str) or value not in choices:
        raise RequestError(f"{name} cannot be {value!r:.60}.", hint=f"Choose one of: {', '.join(choices)}.")
    return value


def names(name: str, values: Any, choices: Collection[str]) -> tuple[str, ...]:
    """Some of the texts, each once, in the order given. Raises RequestError."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise RequestError(f"{name} cannot be {values!r:.60}.", hint=f"Give a list of: {', '.join(choices)}.")
    return tuple(dict.fromkeys(choice(name, value, choices) for value in values))
