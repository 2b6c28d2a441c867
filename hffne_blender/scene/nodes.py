# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials and node groups of ours, and writing down a node tree as formulas."""

import bpy


def new_material(name):
    """A new material with nodes."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        # Up to 4.x; from 5.0 a material always has nodes.
        material.use_nodes = True
    return material


def shared_group(name, tag, version, make):
    """The node group of this file that carries `tag` with this version; where there is none, make(group) fills a new one."""
    for group in bpy.data.node_groups:
        if group.get(tag) == version and group.library is None:
            return group
    group = bpy.data.node_groups.new(name, "ShaderNodeTree")
    group[tag] = version
    make(group)
    return group


def find_group(material, tag):
    """The node in a material (or None) that holds a group with `tag`, or None."""
    if material is None or material.node_tree is None:
        return None
    for node in material.node_tree.nodes:
        if node.type == "GROUP" and node.node_tree is not None and node.node_tree.get(tag):
            return node
    return None


def add_sliders(group, sliders):
    """Sockets for `sliders` (name, default, most, description), and after them the color that comes out."""
    for name, default, most, description in sliders:
        socket = group.interface.new_socket(
            name, in_out="INPUT", socket_type="NodeSocketFloat", description=description
        )
        socket.default_value, socket.min_value, socket.max_value = default, 0.0, most
    group.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")


class NodeBuilder:
    """Nodes laid out in columns, their inputs given as sockets or as values."""

    def __init__(self, tree):
        self.tree, self.used = tree, {}

    def node(self, kind, column):
        node = self.tree.nodes.new(kind)
        row = self.used[column] = self.used.get(column, -1) + 1
        node.location = (column * 190, -row * 190)
        return node

    def math(self, operation, column, *inputs, clamp=False):
        node = self.node("ShaderNodeMath", column)
        node.operation, node.use_clamp = operation, clamp
        self._feed(node, inputs)
        return node.outputs[0]

    def vector(self, operation, column, *inputs, scale=None):
        node = self.node("ShaderNodeVectorMath", column)
        node.operation = operation
        self._feed(node, inputs)
        if scale is not None:
            self.tree.links.new(scale, node.inputs["Scale"])
        return node.outputs[0]

    def _feed(self, node, inputs):
        for socket, given in zip(node.inputs, inputs):
            if isinstance(given, bpy.types.NodeSocket):
                self.tree.links.new(given, socket)
            else:
                socket.default_value = given

    def dot(self, column, first, second):
        node = self.node("ShaderNodeVectorMath", column)
        node.operation = "DOT_PRODUCT"
        self._feed(node, (first, second))
        return node.outputs["Value"]

    def between(self, column, share, first, second):
        """first + share * (second - first), of vectors."""
        difference = self.vector("SUBTRACT", column, second, first)
        return self.vector("ADD", column + 1, first, self.vector("SCALE", column, difference, scale=share))
