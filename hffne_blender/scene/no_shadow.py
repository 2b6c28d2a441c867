# SPDX-License-Identifier: GPL-3.0-or-later
"""Thin transparent parts cast no shadow in Cycles: theirs would have the hard edges of their strips on the skin."""

import bpy

from .access import tree_of
from .nodes import link_for_cycles, mix_shaders, new_node, output_of


def add(material: bpy.types.Material, surface: bpy.types.ShaderNodeBsdfPrincipled) -> None:
    """Let lamps shine through a material with this shader. Exporters and EEVEE keep the shader as it is."""
    tree = tree_of(material)
    path = new_node(tree, bpy.types.ShaderNodeLightPath, 250, 100)
    clear = new_node(tree, bpy.types.ShaderNodeBsdfTransparent, 400, -300)
    shader = mix_shaders(
        tree, output_of(path, "Is Shadow Ray"), output_of(surface, "BSDF"), output_of(clear, "BSDF"), 650, -100
    )
    link_for_cycles(material, shader)
