# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that a .blend brings along in custom properties: it may be another's, or a damaged one."""

import json
import math
from typing import Any


def json_of(owner: Any, name: str) -> Any:
    """What a property of a data-block holds as a JSON text; None where it is missing or not such a text."""
    text = owner.get(name)
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def number_of(owner: Any, name: str) -> float | None:
    """A property of a data-block as a number; None where it is missing or not a finite one."""
    value = owner.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
