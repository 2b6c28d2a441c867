# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of a head's parts beside the skin."""

import bpy

from .access import tree_of
from .nodes import need_node, new_material, set_input


def build_material(name: str, part: str) -> bpy.types.Material:
    """A new Material of the part `part` of the head `name`."""
    material = new_material(f"{name} {part}")
    tree_of(material)
    surface = need_node(material, bpy.types.ShaderNodeBsdfPrincipled)
    set_input(surface, "Roughness", 0.3)
    return material
