# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that may be None by their type, but never are where they are used. No bpy here.

The published type stubs call most of Blender's context optional (`context.scene`, `operator.layout`), which Blender
sets before it calls an operator or draws a panel.
"""

from typing import TypeVar

T = TypeVar("T")


def required(value: T | None) -> T:
    """The value itself. Raises TypeError for None."""
    if value is None:
        raise TypeError("A value that this code relies on is None.")
    return value
