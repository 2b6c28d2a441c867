# SPDX-License-Identifier: GPL-3.0-or-later
"""The sliders of a face's colors: a node group between its textures and the skin, live.

Clay takes away all that tells one face's skin from another's, so that the relief alone is seen: the colors, the
roughness and the highlights of its parts, and the light that goes through it, which would be red in the shadows.
"""

from .nodes import NodeBuilder, add_sliders, find_group, shared_group

GROUP, TAG = "HFFNE Skin", "hffne_skin"
# Raised when the nodes change, see scene.detail_nodes.
VERSION = 1
# name, default, most, description
SLIDERS = (
    ("Delit", 1.0, 1.0, "From the photo's colors (0) to those without its light (1)"),
    ("Clay", 0.0, 1.0, "From the colors (0) to plain gray (1), which shows the relief alone"),
)
# Skin without its color, bright enough to light and dark enough to keep its highlights.
PLAIN_COLOR = (0.55, 0.55, 0.55, 1.0)
# What goes through beside the colors, and what plain skin has of it.
PLAIN = {"Roughness": 0.5, "Specular": 0.5, "Subsurface": 0.0}


def add_node(tree, colors, subsurface):
    """A node of the group in a material's tree.

    colors      sockets of "color" and "albedo", or of one of them
    subsurface  weight of the light that goes through the skin
    """
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = shared_group(GROUP, TAG, VERSION, _make)
    node.label = "Skin"
    found = [colors[kind] for kind in ("color", "albedo") if kind in colors]
    tree.links.new(found[0], node.inputs["Color"])
    tree.links.new(found[-1], node.inputs["Delit Color"])
    node.inputs["Subsurface"].default_value = subsurface
    return node


def find_node(material):
    """The node with the sliders of a material's colors, or None."""
    return find_group(material, TAG)


def lacks(material, name):
    """Why a slider has nothing to do in a material, in words, or ""."""
    node = find_node(material)
    if node is None:
        return "no colors"
    sources = [link.from_node for socket in ("Color", "Delit Color") for link in node.inputs[socket].links]
    if name == "Delit" and len(set(sources)) < 2:
        return "not both its colors and the delit ones"
    return ""


def _make(group):
    face = group.interface
    for name in ("Color", "Delit Color"):
        face.new_socket(name, in_out="INPUT", socket_type="NodeSocketColor").default_value = PLAIN_COLOR
    for name, plain in PLAIN.items():
        socket = face.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat")
        socket.default_value, socket.min_value, socket.max_value = plain, 0.0, 1.0
    add_sliders(group, SLIDERS)
    for name in PLAIN:
        face.new_socket(name, in_out="OUTPUT", socket_type="NodeSocketFloat")
    build = NodeBuilder(group)
    given, result = build.node("NodeGroupInput", 0).outputs, build.node("NodeGroupOutput", 6)
    color = build.between(1, given["Delit"], given["Color"], given["Delit Color"])
    group.links.new(build.between(3, given["Clay"], color, PLAIN_COLOR[:3]), result.inputs["Color"])
    for name, plain in PLAIN.items():
        # value + clay * (plain - value)
        away = build.math("SUBTRACT", 1, plain, given[name])
        value = build.math("MULTIPLY_ADD", 2, given["Clay"], away, given[name])
        group.links.new(value, result.inputs[name])
