# SPDX-License-Identifier: GPL-3.0-or-later
"""The sliders of a face's shading: a node group between its textures and the skin shader, adjustable while rendering.

Clay removes all that differs between one face's skin and another's, so that only the relief shows: the color, the
roughness and the specular level of each part, and the subsurface scattering, which would tint the shadows red.
"""

from collections.abc import Mapping

import bpy

from .nodes import (
    NodeBuilder,
    add_group,
    add_sliders,
    find_group,
    interface_of,
    links_of,
    set_input,
    shared_group,
    source_node,
)

GROUP, TAG = "HFFNE Skin", "hffne_skin"
# Raised when the nodes change, see scene.detail_nodes.
VERSION = 1
# name, default, maximum, description
SLIDERS = (
    ("Delit", 1.0, 1.0, "From the photo's colors (0) to those without the photo's light (1)"),
    ("Clay", 0.0, 1.0, "From the colors (0) to plain gray (1), which shows the relief alone"),
)
# Skin without its color, bright enough to light and dark enough to show highlights.
PLAIN_COLOR = (0.55, 0.55, 0.55, 1.0)
# The inputs besides the colors, and their values on clay.
PLAIN = {"Roughness": 0.5, "Specular": 0.5, "Subsurface": 0.0}


def add_node(
    tree: bpy.types.NodeTree, colors: Mapping[str, bpy.types.NodeSocket], subsurface: float
) -> bpy.types.ShaderNodeGroup:
    """A node of the group in a material's tree.

    colors      output sockets of "color" and "albedo", or of one of them
    subsurface  weight of the subsurface scattering
    """
    node = add_group(tree, shared_group(GROUP, TAG, VERSION, _make), "Skin")
    sources = [colors[kind] for kind in ("color", "albedo") if kind in colors]
    tree.links.new(sources[0], node.inputs["Color"])
    tree.links.new(sources[-1], node.inputs["Delit Color"])
    set_input(node, "Subsurface", subsurface)
    return node


def find_node(material: bpy.types.Material | None) -> bpy.types.ShaderNodeGroup | None:
    """The node with the shading sliders of a material, or None."""
    return find_group(material, TAG)


def unavailable_reason(material: bpy.types.Material | None, name: str) -> str:
    """What a material does not have and the slider `name` needs, in words, or "" where the slider works."""
    node = find_node(material)
    if node is None:
        return "no colors"
    sources = [source_node(link) for socket in ("Color", "Delit Color") for link in links_of(node.inputs[socket])]
    if name == "Delit" and len(set(sources)) < 2:
        return "not both its colors and the delit ones"
    return ""


def _make(group: bpy.types.NodeTree) -> None:
    interface = interface_of(group)
    for name in ("Color", "Delit Color"):
        interface.new_socket(name, in_out="INPUT", socket_type="NodeSocketColor").default_value = PLAIN_COLOR
    for name, plain in PLAIN.items():
        socket = interface.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat")
        socket.default_value, socket.min_value, socket.max_value = plain, 0.0, 1.0
    add_sliders(group, SLIDERS)
    for name in PLAIN:
        interface.new_socket(name, in_out="OUTPUT", socket_type="NodeSocketFloat")
    build = NodeBuilder(group)
    given = build.node(bpy.types.NodeGroupInput, 0).outputs
    result = build.node(bpy.types.NodeGroupOutput, 6)
    color = build.mix(1, given["Delit"], given["Color"], given["Delit Color"])
    group.links.new(build.mix(3, given["Clay"], color, PLAIN_COLOR[:3]), result.inputs["Color"])
    for name, plain in PLAIN.items():
        # value + clay * (plain - value)
        difference = build.math("SUBTRACT", 1, plain, given[name])
        value = build.math("MULTIPLY_ADD", 2, given["Clay"], difference, given[name])
        group.links.new(value, result.inputs[name])
