# SPDX-License-Identifier: GPL-3.0-or-later
"""The face's material: skin on a Principled BSDF with sliders for its detail, for Cycles and EEVEE alike."""

from collections.abc import Mapping

import bpy

from . import detail_nodes, head, skin_nodes, textures
from .access import first_material, tree_of
from .nodes import (
    find_node,
    input_of,
    links_of,
    need_node,
    new_material,
    new_node,
    output_of,
    select_only,
    set_input,
)

# How far red, green and blue light travels in skin (Jensen et al. 2001, "skin1"), as shares of the red in meters.
SUBSURFACE_SCALE = 0.0037
SUBSURFACE_RADIUS = (1.0, 0.37, 0.19)
# Less than 1: a photo's colors contain some of the scattering already, and so do its normals.
SUBSURFACE_WEIGHT = 0.35
# Skin's index of refraction is 1.4.
IOR = 1.4
# Output of the skin group -> input of the shader.
SKIN = {
    "Color": "Base Color",
    "Roughness": "Roughness",
    "Specular": "Specular IOR Level",
    "Subsurface": "Subsurface Weight",
}
DISPLACEMENT_MODIFIER = "HFFNE Displacement"
# Texture -> the label of its node, in the order from top to bottom.
LABELS = {
    "color": "Color",
    "albedo": "Delit Color",
    "roughness": "Roughness",
    "occlusion": "Occlusion",
    "normal": "Normal",
    "normal_medium": "Normal Without Fine",
    "normal_coarse": "Normal Without Medium",
    "normal_pores": "Normal With Synthetic Pores",
    "height": "Height",
    "curvature": "Curvature",
    "seen": "Seen Skin",
}


def build_material(name: str, uv_name: str, maps: Mapping[str, bpy.types.Image]) -> bpy.types.Material:
    """A new Material of the images `maps` (kind -> Image, see scene.textures; "normal" at least) over a UV map."""
    material = new_material(name)
    tree = tree_of(material)
    tree.nodes.clear()

    output = new_node(tree, bpy.types.ShaderNodeOutputMaterial, 900, 0)
    surface = new_node(tree, bpy.types.ShaderNodeBsdfPrincipled, 550, 0)
    set_input(surface, "Base Color", skin_nodes.PLAIN_COLOR)
    set_input(surface, "IOR", IOR)
    tree.links.new(output_of(surface, "BSDF"), input_of(output, "Surface"))

    read: dict[str, bpy.types.ShaderNodeTexImage] = {}
    for row, kind in enumerate(kind for kind in LABELS if kind in maps):
        node = read[kind] = new_node(tree, bpy.types.ShaderNodeTexImage, -600, 600 - 280 * row)
        node.image, node.label = maps[kind], LABELS[kind]
    colors = {kind: output_of(node, "Color") for kind, node in read.items()}

    sliders = detail_nodes.add_node(tree, colors)
    sliders.location = (0, -400)
    normal_map = new_node(tree, bpy.types.ShaderNodeNormalMap, 250, -400)
    normal_map.space = "TANGENT"
    normal_map.uv_map = uv_name
    tree.links.new(output_of(sliders, "Color"), input_of(normal_map, "Color"))
    tree.links.new(output_of(normal_map, "Normal"), input_of(surface, "Normal"))

    skin_inputs = {}
    if "roughness" in colors:
        skin_inputs["Roughness"] = colors["roughness"]
    if "occlusion" in colors:
        # Creases reflect weaker highlights; the renderer itself computes the rest of the occlusion.
        level = new_node(tree, bpy.types.ShaderNodeMath, 0, -100)
        level.operation, level.label = "MULTIPLY", "Highlights"
        set_input(level, 1, 0.5)
        tree.links.new(colors["occlusion"], input_of(level, 0))
        skin_inputs["Specular"] = output_of(level, 0)
    _add_skin(tree, colors, skin_inputs, surface)
    if "height" in colors:
        _add_displacement(tree, colors["height"], maps["height"][textures.RANGE], output_of(sliders, "Strength"))

    # The Solid viewport shows the active texture: the colors, never the normal map.
    select_only(tree, read.get("albedo") or read.get("color") or surface)
    return material


def build_object_space(name: str, image: bpy.types.Image) -> bpy.types.Material:
    """A new Material of an object-space normal map, without the detail sliders, which need tangent space."""
    material = new_material(name)
    tree = tree_of(material)
    surface = need_node(material, bpy.types.ShaderNodeBsdfPrincipled)
    set_input(surface, "Base Color", skin_nodes.PLAIN_COLOR)
    read = new_node(tree, bpy.types.ShaderNodeTexImage, -600, 0)
    read.image, read.label = image, "Normal"
    normal_map = new_node(tree, bpy.types.ShaderNodeNormalMap, -250, 0)
    normal_map.space = "OBJECT"
    tree.links.new(output_of(read, "Color"), input_of(normal_map, "Color"))
    tree.links.new(output_of(normal_map, "Normal"), input_of(surface, "Normal"))
    return material


def can_displace(material: bpy.types.Material) -> bool:
    """Whether a face's material has a height map, so that its surface can be displaced."""
    return find_node(material, bpy.types.ShaderNodeDisplacement) is not None


def is_displaced(obj: bpy.types.Object) -> bool:
    """Whether a face shows its relief by displacing its surface."""
    return obj.modifiers.get(DISPLACEMENT_MODIFIER) is not None


def set_displaced(obj: bpy.types.Object, displaced: bool) -> None:
    """Show the relief of a face by displacing its surface (True) or by its normals alone (False).

    Displacement needs fine geometry, so a subdivision modifier is added with it. Raises ValueError without a height
    map.
    """
    material = first_material(obj)
    displacement = find_node(material, bpy.types.ShaderNodeDisplacement)
    if displacement is None:
        raise ValueError("This face has no height map.")
    tree, output = tree_of(material), need_node(material, bpy.types.ShaderNodeOutputMaterial)
    for link in list(links_of(input_of(output, "Displacement"))):
        tree.links.remove(link)
    modifier = obj.modifiers.get(DISPLACEMENT_MODIFIER)
    if displaced:
        tree.links.new(output_of(displacement, "Displacement"), input_of(output, "Displacement"))
        material.displacement_method = "DISPLACEMENT"
        if modifier is None:
            modifier = obj.modifiers.new(DISPLACEMENT_MODIFIER, "SUBSURF")
            assert isinstance(modifier, bpy.types.SubsurfModifier)
            modifier.levels, modifier.render_levels = 1, 2
            # A mask's mesh is dense already: moved corners would change the face. Simple facets of a head's larger
            # quads would show.
            modifier.subdivision_type = "CATMULL_CLARK" if head.is_head(obj) else "SIMPLE"
    elif modifier is not None:
        obj.modifiers.remove(modifier)
    # Both at once would show the relief twice.
    set_input(need_node(material, bpy.types.ShaderNodeNormalMap), "Strength", 0.0 if displaced else 1.0)


def _add_skin(
    tree: bpy.types.NodeTree,
    colors: Mapping[str, bpy.types.NodeSocket],
    skin_inputs: Mapping[str, bpy.types.NodeSocket],
    surface: bpy.types.ShaderNodeBsdfPrincipled,
) -> None:
    """Link the skin's inputs to the shader, through the shading sliders where there are colors.

    skin_inputs  output sockets by "Roughness" and "Specular", as far as there are such textures
    """
    if "color" in colors or "albedo" in colors:
        skin = skin_nodes.add_node(tree, colors, SUBSURFACE_WEIGHT)
        skin.location = (250, 300)
        for name, socket in skin_inputs.items():
            tree.links.new(socket, input_of(skin, name))
        skin_inputs = {name: output_of(skin, name) for name in SKIN}
    for name, socket in skin_inputs.items():
        tree.links.new(socket, input_of(surface, SKIN[name]))
    set_input(surface, "Subsurface Radius", SUBSURFACE_RADIUS)
    set_input(surface, "Subsurface Scale", SUBSURFACE_SCALE)


def _add_displacement(
    tree: bpy.types.NodeTree, height: bpy.types.NodeSocket, extent: float, strength: bpy.types.NodeSocket
) -> None:
    """A displacement node that is not linked to the output; `extent` in meters, see scene.textures."""
    node = new_node(tree, bpy.types.ShaderNodeDisplacement, 600, -600)
    set_input(node, "Midlevel", 0.5)
    # From black to white is twice the extent, in meters.
    scale = new_node(tree, bpy.types.ShaderNodeMath, 250, -650)
    scale.operation, scale.label = "MULTIPLY", "Relief in Meters"
    set_input(scale, 1, 2 * extent)
    tree.links.new(strength, input_of(scale, 0))
    tree.links.new(output_of(scale, 0), input_of(node, "Scale"))
    tree.links.new(height, input_of(node, "Height"))
