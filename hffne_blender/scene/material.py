# SPDX-License-Identifier: GPL-3.0-or-later
"""The face's material: skin on a Principled BSDF, its detail over sliders, for Cycles and EEVEE alike."""

from . import detail, textures
from .nodes import new_material

# Skin without its colour, bright enough to light and dark enough to keep its highlights.
PLAIN_COLOR = (0.55, 0.55, 0.55, 1.0)
ROUGHNESS = 0.5
# How far red, green and blue light travels in skin (Jensen et al. 2001, "skin1"), as shares of the red in metres.
SUBSURFACE_SCALE = 0.0037
SUBSURFACE_RADIUS = (1.0, 0.37, 0.19)
# Less than all of it: a photo's colours hold some of the scattering already, and its normals too.
SUBSURFACE_WEIGHT = 0.35
# Skin's index of refraction is 1.4.
IOR = 1.4
DISPLACEMENT_MODIFIER = "HFFNE Displacement"


def build_material(name, uv_name, made):
    """A new Material of the images `made` (kind -> Image, see scene.textures; "normal" at least) over a UV map."""
    material = new_material(name)
    tree = material.node_tree
    tree.nodes.clear()

    output = _node(tree, "ShaderNodeOutputMaterial", 900, 0)
    surface = _node(tree, "ShaderNodeBsdfPrincipled", 550, 0)
    surface.inputs["Base Color"].default_value = PLAIN_COLOR
    surface.inputs["Roughness"].default_value = ROUGHNESS
    surface.inputs["IOR"].default_value = IOR
    tree.links.new(surface.outputs["BSDF"], output.inputs["Surface"])

    read = {}
    for row, kind in enumerate(kind for kind in LABELS if kind in made):
        node = read[kind] = _node(tree, "ShaderNodeTexImage", -600, 600 - 280 * row)
        node.image, node.label = made[kind], LABELS[kind]
    colors = {kind: node.outputs["Color"] for kind, node in read.items()}

    sliders = detail.add_node(tree, colors)
    sliders.location = (0, -400)
    normal_map = _node(tree, "ShaderNodeNormalMap", 250, -400)
    normal_map.space = "TANGENT"
    normal_map.uv_map = uv_name
    tree.links.new(sliders.outputs["Color"], normal_map.inputs["Color"])
    tree.links.new(normal_map.outputs["Normal"], surface.inputs["Normal"])

    _add_color(tree, colors, surface)
    if "roughness" in colors:
        tree.links.new(colors["roughness"], surface.inputs["Roughness"])
    if "occlusion" in colors:
        # Creases throw back less of the highlights; the renderer sees to the rest of the occlusion itself.
        level = _node(tree, "ShaderNodeMath", 250, -100)
        level.operation, level.label = "MULTIPLY", "Highlights"
        level.inputs[1].default_value = 0.5
        tree.links.new(colors["occlusion"], level.inputs[0])
        tree.links.new(level.outputs[0], surface.inputs["Specular IOR Level"])
    if "height" in colors:
        _add_displacement(tree, colors["height"], made["height"][textures.RANGE])

    # The Solid viewport shows the active texture: the colours, never the normal map.
    active = read.get("albedo") or read.get("color") or surface
    for node in tree.nodes:
        node.select = node == active
    tree.nodes.active = active
    return material


LABELS = {
    "color": "Colour",
    "albedo": "Delit Colour",
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


def mix_node(material, label):
    """The node "Delit" (the photo's colours and those without its light) or "Clay" (colours and grey), or None."""
    return next((node for node in material.node_tree.nodes if node.type == "MIX" and node.label == label), None)


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


def _add_color(tree, colors, surface):
    found = [colors[kind] for kind in ("color", "albedo") if kind in colors]
    if not found:
        return
    if len(found) == 2:
        mix = _mix(tree, "Delit", 0, 300, 1.0)
        for color, socket in zip(found, _colors(mix)):
            tree.links.new(color, socket)
        result = _result(mix)
    else:
        result = found[0]
    clay = _mix(tree, "Clay", 250, 300, 0.0)
    tree.links.new(result, _colors(clay)[0])
    _colors(clay)[1].default_value = PLAIN_COLOR
    tree.links.new(_result(clay), surface.inputs["Base Color"])
    surface.inputs["Subsurface Weight"].default_value = SUBSURFACE_WEIGHT
    surface.inputs["Subsurface Radius"].default_value = SUBSURFACE_RADIUS
    surface.inputs["Subsurface Scale"].default_value = SUBSURFACE_SCALE


def _mix(tree, label, x, y, share):
    mix = _node(tree, "ShaderNodeMix", x, y)
    mix.data_type, mix.label = "RGBA", label
    mix.inputs["Factor"].default_value = share
    return mix


def _colors(mix):
    # A mix node has its sockets once for each type, under the same names.
    return [socket for socket in mix.inputs if socket.type == "RGBA"]


def _result(mix):
    return next(socket for socket in mix.outputs if socket.type == "RGBA")


def _add_displacement(tree, height, extent):
    node = _node(tree, "ShaderNodeDisplacement", 600, -600)
    node.inputs["Midlevel"].default_value = 0.5
    # From black to white it is twice the range: metres in, metres out.
    node.inputs["Scale"].default_value = 2 * extent
    tree.links.new(height, node.inputs["Height"])


def _node(tree, kind, x, y):
    node = tree.nodes.new(kind)
    node.location = (x, y)
    return node
