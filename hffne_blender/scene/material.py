# SPDX-License-Identifier: GPL-3.0-or-later
"""The face's material: Principled BSDF, Normal Map node, colour texture if there is one."""

import bpy

# Skin without its colour, bright enough to light and dark enough to keep its highlights.
PLAIN_COLOR = (0.55, 0.55, 0.55, 1.0)
ROUGHNESS = 0.5


def build_material(name, uv_name, normal_image, color_image=None):
    """A new Material reading `normal_image` (tangent space) over the UV map `uv_name`."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        # Up to 4.x; from 5.0 a material always has nodes.
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()

    output = _node(tree, "ShaderNodeOutputMaterial", 600, 0)
    surface = _node(tree, "ShaderNodeBsdfPrincipled", 300, 0)
    surface.inputs["Base Color"].default_value = PLAIN_COLOR
    surface.inputs["Roughness"].default_value = ROUGHNESS
    tree.links.new(surface.outputs["BSDF"], output.inputs["Surface"])

    normal_texture = _node(tree, "ShaderNodeTexImage", -300, -250)
    normal_texture.image = normal_image
    normal_texture.label = "Normal"
    normal_map = _node(tree, "ShaderNodeNormalMap", 50, -250)
    normal_map.space = "TANGENT"
    normal_map.uv_map = uv_name
    tree.links.new(normal_texture.outputs["Color"], normal_map.inputs["Color"])
    tree.links.new(normal_map.outputs["Normal"], surface.inputs["Normal"])

    if color_image is not None:
        color_texture = _node(tree, "ShaderNodeTexImage", -300, 150)
        color_texture.image = color_image
        color_texture.label = "Colour"
        tree.links.new(color_texture.outputs["Color"], surface.inputs["Base Color"])
    # The Solid viewport shows the active texture: the colours, never the normal map.
    active = surface if color_image is None else color_texture
    for node in tree.nodes:
        node.select = node == active
    tree.nodes.active = active
    return material


def find_node(material, kind):
    """The first node of a type such as "NORMAL_MAP", or None (names are translated, types are not)."""
    return next((node for node in material.node_tree.nodes if node.type == kind), None)


def _node(tree, kind, x, y):
    node = tree.nodes.new(kind)
    node.location = (x, y)
    return node
