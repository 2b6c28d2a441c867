# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry in Blender's menu Add > Mesh."""

import bpy

from ..system.required import required


def draw(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Add the entry; it asks for a photo."""
    layout = required(self.layout)
    layout.separator()
    layout.operator_context = "INVOKE_DEFAULT"
    layout.operator("hffne.open_photo", icon="USER").generate = True
