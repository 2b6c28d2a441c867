# SPDX-License-Identifier: GPL-3.0-or-later
"""Check boxes for a property that is a set of names: a click on one of Blender's own buttons clears all the others."""

from collections.abc import Collection, Sequence
from typing import Any

import bpy

# identifier, name, description
Item = tuple[str, str, str]


def box(identifier: str) -> str:
    """The property of the check box of an item."""
    return f"map_{identifier.lower()}"


def boxes(items: Sequence[Item], name: str = "maps", **more: Any) -> dict[str, Any]:
    """Annotations of a class with the set property `name`: a check box for each item. They read and write the set."""

    def make(item: Item) -> Any:
        identifier, label, description = item

        def read(self: Any) -> bool:
            return identifier in getattr(self, name)

        def write(self: Any, value: bool) -> None:
            before = set(getattr(self, name))
            setattr(self, name, before | {identifier} if value else before - {identifier})

        return bpy.props.BoolProperty(name=label, description=description, get=read, set=write, **more)

    return {box(item[0]): make(item) for item in items}


def draw(
    layout: bpy.types.UILayout, owner: Any, items: Sequence[Item], heading: str, shown: Collection[str] | None = None
) -> None:
    """The check boxes of a settings group or operator `owner`, one below the other. shown: only these identifiers."""
    column = layout.column(heading=heading)
    for item in items:
        if shown is None or item[0] in shown:
            column.prop(owner, box(item[0]))
