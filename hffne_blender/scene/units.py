# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's unit of length: a face is life-size in meters, whatever a Blender unit is."""

import bpy

from .access import mesh_of
from .nodes import find_node, input_value, set_input


def per_meter(scene: bpy.types.Scene) -> float:
    """Blender units in a meter. With the unit system None a unit is a meter."""
    settings = scene.unit_settings
    return 1.0 if settings.system == "NONE" else 1.0 / settings.scale_length


def set_size(obj: bpy.types.Object, unit: float) -> None:
    """Scale a new face by `unit` Blender units a meter, and how far light travels in its materials with it."""
    if abs(unit - 1) < 1e-6:
        return
    obj.scale = (unit,) * 3
    for material in mesh_of(obj).materials:
        surface = None if material is None else find_node(material, bpy.types.ShaderNodeBsdfPrincipled)
        if surface is not None:
            # In Blender units: renderers do not scale it with the object.
            set_input(surface, "Subsurface Scale", input_value(surface, "Subsurface Scale") * unit)
