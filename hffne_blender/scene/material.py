# SPDX-License-Identifier: GPL-3.0-or-later
"""The face's material: skin on a Principled BSDF, its detail over sliders, for Cycles and EEVEE alike."""

from . import detail_nodes, skin_nodes, textures
from .nodes import new_material

# How far red, green and blue light travels in skin (Jensen et al. 2001, "skin1"), as shares of the red in meters.
SUBSURFACE_SCALE = 0.0037
SUBSURFACE_RADIUS = (1.0, 0.37, 0.19)
# Less than all of it: a photo's colors hold some of the scattering already, and its normals too.
SUBSURFACE_WEIGHT = 0.35
# Skin's index of refraction is 1.4.
IOR = 1.4
# Of the skin group's outputs, the input that each feeds.
SKIN = {
    "Color": "Base Color",
    "Roughness": "Roughness",
    "Specular": "Specular IOR Level",
    "Subsurface": "Subsurface Weight",
}
DISPLACEMENT_MODIFIER = "HFFNE Displacement"


def build_material(name, uv_name, made):
    """A new Material of the images `made` (kind -> Image, see scene.textures; "normal" at least) over a UV map."""
    material = new_material(name)
    tree = material.node_tree
    tree.nodes.clear()

    output = _node(tree, "ShaderNodeOutputMaterial", 900, 0)
    surface = _node(tree, "ShaderNodeBsdfPrincipled", 550, 0)
    surface.inputs["Base Color"].default_value = skin_nodes.PLAIN_COLOR
    surface.inputs["IOR"].default_value = IOR
    tree.links.new(surface.outputs["BSDF"], output.inputs["Surface"])

    read = {}
    for row, kind in enumerate(kind for kind in LABELS if kind in made):
        node = read[kind] = _node(tree, "ShaderNodeTexImage", -600, 600 - 280 * row)
        node.image, node.label = made[kind], LABELS[kind]
    colors = {kind: node.outputs["Color"] for kind, node in read.items()}

    sliders = detail_nodes.add_node(tree, colors)
    sliders.location = (0, -400)
    normal_map = _node(tree, "ShaderNodeNormalMap", 250, -400)
    normal_map.space = "TANGENT"
    normal_map.uv_map = uv_name
    tree.links.new(sliders.outputs["Color"], normal_map.inputs["Color"])
    tree.links.new(normal_map.outputs["Normal"], surface.inputs["Normal"])

    fed = {}
    if "roughness" in colors:
        fed["Roughness"] = colors["roughness"]
    if "occlusion" in colors:
        # Creases throw back less of the highlights; the renderer sees to the rest of the occlusion itself.
        level = _node(tree, "ShaderNodeMath", 0, -100)
        level.operation, level.label = "MULTIPLY", "Highlights"
        level.inputs[1].default_value = 0.5
        tree.links.new(colors["occlusion"], level.inputs[0])
        fed["Specular"] = level.outputs[0]
    _add_skin(tree, colors, fed, surface)
    if "height" in colors:
        _add_displacement(tree, colors["height"], made["height"][textures.RANGE], sliders.outputs["Strength"])

    # The Solid viewport shows the active texture: the colors, never the normal map.
    active = read.get("albedo") or read.get("color") or surface
    for node in tree.nodes:
        node.select = node == active
    tree.nodes.active = active
    return material


LABELS = {
    "color": "Color",
    "albedo": "Delit Color",
    "roughness": "Roughness",
    "occlusion": "Occlusion",
    "normal": "Normal",
    "normal_medium": "Normal Without Fine",
    "normal_coarse": "Normal Without Medium",
    "height": "Height",
    "curvature": "Curvature",
}


def find_node(material, kind):
    """The first node of a type such as "NORMAL_MAP", or None (names are translated, types are not)."""
    return next((node for node in material.node_tree.nodes if node.type == kind), None)


def build_object_space(name, image):
    """A new Material of an object-space normal map, which the sliders of the detail can do nothing with."""
    material = new_material(name)
    tree = material.node_tree
    surface = find_node(material, "BSDF_PRINCIPLED")
    surface.inputs["Base Color"].default_value = skin_nodes.PLAIN_COLOR
    read = _node(tree, "ShaderNodeTexImage", -600, 0)
    read.image, read.label = image, "Normal"
    normal_map = _node(tree, "ShaderNodeNormalMap", -250, 0)
    normal_map.space = "OBJECT"
    tree.links.new(read.outputs["Color"], normal_map.inputs["Color"])
    tree.links.new(normal_map.outputs["Normal"], surface.inputs["Normal"])
    return material


def is_displaced(obj):
    """Whether the relief of a face is shown by moving its surface."""
    return obj.modifiers.get(DISPLACEMENT_MODIFIER) is not None


def set_displaced(obj, displaced):
    """Show the relief of a face by moving its surface (True) or by its normals alone (False).

    Moving wants fine geometry, so a subdivision modifier comes with it. Raises ValueError without a height map.
    """
    material = obj.data.materials[0]
    displacement = find_node(material, "DISPLACEMENT")
    if displacement is None:
        raise ValueError("This face has no height map.")
    tree, output = material.node_tree, find_node(material, "OUTPUT_MATERIAL")
    for link in list(output.inputs["Displacement"].links):
        tree.links.remove(link)
    modifier = obj.modifiers.get(DISPLACEMENT_MODIFIER)
    if displaced:
        tree.links.new(displacement.outputs["Displacement"], output.inputs["Displacement"])
        material.displacement_method = "DISPLACEMENT"
        if modifier is None:
            modifier = obj.modifiers.new(DISPLACEMENT_MODIFIER, "SUBSURF")
            modifier.levels, modifier.render_levels = 1, 2
            # The mesh is dense already: moved corners would change the face.
            modifier.subdivision_type = "SIMPLE"
    elif modifier is not None:
        obj.modifiers.remove(modifier)
    # Both at once would show the relief twice.
    normal_map = find_node(material, "NORMAL_MAP")
    normal_map.inputs["Strength"].default_value = 0.0 if displaced else 1.0


def _add_skin(tree, colors, fed, surface):
    """Feed the skin, through the sliders of its colors if it has any: fed "Roughness" and "Specular" -> socket."""
    if "color" in colors or "albedo" in colors:
        skin = skin_nodes.add_node(tree, colors, SUBSURFACE_WEIGHT)
        skin.location = (250, 300)
        for name, socket in fed.items():
            tree.links.new(socket, skin.inputs[name])
        fed = {name: skin.outputs[name] for name in SKIN}
    for name, socket in fed.items():
        tree.links.new(socket, surface.inputs[SKIN[name]])
    surface.inputs["Subsurface Radius"].default_value = SUBSURFACE_RADIUS
    surface.inputs["Subsurface Scale"].default_value = SUBSURFACE_SCALE


def _add_displacement(tree, height, extent, strength):
    node = _node(tree, "ShaderNodeDisplacement", 600, -600)
    node.inputs["Midlevel"].default_value = 0.5
    # From black to white it is twice the range: meters in, meters out.
    scale = _node(tree, "ShaderNodeMath", 250, -650)
    scale.operation, scale.label = "MULTIPLY", "Relief in Meters"
    scale.inputs[1].default_value = 2 * extent
    tree.links.new(strength, scale.inputs[0])
    tree.links.new(scale.outputs[0], node.inputs["Scale"])
    tree.links.new(height, node.inputs["Height"])


def _node(tree, kind, x, y):
    node = tree.nodes.new(kind)
    node.location = (x, y)
    return node
