# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether pins are edited now: then the tool of that name is chosen in the viewport."""

import bpy

from ..scene import face_attributes
from ..studio.place import face_at

TOOL = "hffne.pins"
# What is chosen when the editing ends.
_USUAL_TOOL = "builtin.select_box"


def is_on(context: bpy.types.Context) -> bool:
    """Whether the tool for pins is chosen."""
    if context.workspace is None or context.mode != "OBJECT":
        return False
    tool = context.workspace.tools.from_space_view3d_mode("OBJECT", create=False)
    return tool is not None and tool.idname == TOOL


def face(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active face, or that of the active light or camera; None for anything else."""
    obj = face_at(context.object)
    return obj if face_attributes.is_face(obj) else None


def switch(on: bool) -> None:
    """Choose the tool, or the usual one, in the viewport of the context."""
    bpy.ops.wm.tool_set_by_id(name=TOOL if on else _USUAL_TOOL)
