# SPDX-License-Identifier: GPL-3.0-or-later
"""The clear front of an eyeball around an iris of its own: it bends light in Cycles, and is plainly clear in EEVEE.

Where the picture's opacity is 1 the eyeball is white and opaque, where it is 0 it is the cornea. Its highlights are
added to both, because an opacity takes them away with the rest.
"""

import bpy

from .access import tree_of
from .nodes import input_of, link_for_cycles, mix_shaders, need_node, new_node, output_of, set_input

# Index of refraction of the cornea and the fluid behind it.
IOR = 1.376
ROUGHNESS = 0.015


def add(
    material: bpy.types.Material, surface: bpy.types.ShaderNodeBsdfPrincipled, read: bpy.types.ShaderNodeTexImage
) -> None:
    """Give an eyeball's material its cornea. surface: with the opacity linked; read: the node of its picture."""
    tree = tree_of(material)
    opacity, white = output_of(read, "Alpha"), output_of(surface, "BSDF")
    shine = _shine(tree, opacity)

    plain = need_node(material, bpy.types.ShaderNodeOutputMaterial)
    plain.location = (900, 300)
    tree.links.new(_sum(tree, white, shine, 650, 300), input_of(plain, "Surface"))

    bending = new_node(tree, bpy.types.ShaderNodeBsdfRefraction, 0, -400)
    set_input(bending, "IOR", IOR)
    set_input(bending, "Roughness", 0.0)
    path = new_node(tree, bpy.types.ShaderNodeLightPath, 0, -50)
    clear = new_node(tree, bpy.types.ShaderNodeBsdfTransparent, 0, -550)
    # Refracted light would reach the iris as caustics only: lamps shine straight through.
    lit = mix_shaders(
        tree, output_of(path, "Is Shadow Ray"), output_of(bending, "BSDF"), output_of(clear, "BSDF"), 250, -300
    )
    both = mix_shaders(tree, opacity, lit, white, 450, -100)
    link_for_cycles(material, _sum(tree, both, shine, 650, -100))


def _shine(tree: bpy.types.ShaderNodeTree, opacity: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """The highlights of the clear part."""
    clearness = new_node(tree, bpy.types.ShaderNodeMath, -200, -700)
    clearness.operation = "SUBTRACT"
    set_input(clearness, 0, 1.0)
    tree.links.new(opacity, input_of(clearness, 1))
    fresnel = new_node(tree, bpy.types.ShaderNodeFresnel, -200, -850)
    set_input(fresnel, "IOR", IOR)
    share = new_node(tree, bpy.types.ShaderNodeMath, 0, -700)
    share.operation = "MULTIPLY"
    tree.links.new(output_of(clearness, 0), input_of(share, 0))
    tree.links.new(output_of(fresnel, 0), input_of(share, 1))
    shine = new_node(tree, bpy.types.ShaderNodeBsdfAnisotropic, 250, -700)
    set_input(shine, "Roughness", ROUGHNESS)
    tree.links.new(output_of(share, 0), input_of(shine, "Color"))
    return output_of(shine, "BSDF")


def _sum(
    tree: bpy.types.ShaderNodeTree, first: bpy.types.NodeSocket, second: bpy.types.NodeSocket, x: float, y: float
) -> bpy.types.NodeSocket:
    node = new_node(tree, bpy.types.ShaderNodeAddShader, x, y)
    tree.links.new(first, input_of(node, 0))
    tree.links.new(second, input_of(node, 1))
    return output_of(node, 0)
