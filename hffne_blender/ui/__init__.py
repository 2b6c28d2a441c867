# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels and preferences: they read state and call operators, nothing else."""

import bpy

from . import add_menu, pin_tool
from .batch_panel import HFFNE_PT_batch, HFFNE_UL_batch
from .character_panel import HFFNE_PT_character
from .detail_panel import HFFNE_PT_detail, HFFNE_PT_look
from .panel import HFFNE_MT_engine, HFFNE_PT_face, HFFNE_PT_output_presets, HFFNE_PT_result
from .pins_panel import HFFNE_PT_pins
from .preferences import HFFNE_Preferences

CLASSES = (
    HFFNE_Preferences,
    HFFNE_MT_engine,
    HFFNE_PT_face,
    HFFNE_PT_output_presets,
    HFFNE_PT_result,
    HFFNE_PT_pins,
    HFFNE_PT_detail,
    HFFNE_PT_look,
    HFFNE_PT_character,
    HFFNE_UL_batch,
    HFFNE_PT_batch,
)


def register() -> None:
    """Register panels and preferences."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.VIEW3D_MT_mesh_add.append(add_menu.draw)
    pin_tool.register()


def unregister() -> None:
    """Undo `register`."""
    pin_tool.unregister()
    bpy.types.VIEW3D_MT_mesh_add.remove(add_menu.draw)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
