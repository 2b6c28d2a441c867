# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing down a node tree as formulas."""

import bpy


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
