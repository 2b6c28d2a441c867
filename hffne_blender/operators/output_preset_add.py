# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.output_preset_add`: keep the panel's output settings under a name, in Blender's presets.

bpy.ops.hffne.output_preset_add(name="Mine")
"""

import bpy
from bl_operators.presets import AddPresetBase

from .. import settings


class HFFNE_OT_output_preset_add(AddPresetBase, bpy.types.Operator):  # type: ignore[misc]  # the stubs differ
    """Add or remove a preset of the output settings"""

    bl_idname = "hffne.output_preset_add"
    bl_label = "Add Output Preset"

    preset_menu = "HFFNE_PT_output_presets"
    preset_subdir = settings.PRESETS
    # The whole path, and no name that `preset_defines` gives: Blender 4.3 does not find such names in Python 3.13.
    preset_values = tuple(f"bpy.context.scene.hffne.{name}" for name in settings.OUTPUT)
