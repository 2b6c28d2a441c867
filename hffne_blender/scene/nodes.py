# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials, node groups and their sliders, and building a node tree from formulas."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import bpy

from .access import tree_of

NodeT = TypeVar("NodeT", bound=bpy.types.Node)

# name, default, maximum, description
Slider = tuple[str, float, float, str]
# What feeds an input: another node's output, or a number or vector.
Feed = bpy.types.NodeSocket | float | Sequence[float]


def new_material(name: str) -> bpy.types.Material:
    """A new material with nodes."""
    material = bpy.data.materials.new(name)
    enable_nodes(material)
    return material


def enable_nodes(material: bpy.types.Material) -> None:
    """Let a material use its nodes, new ones if it has none: from Blender 5.0 on it always does."""
    if material.node_tree is None or not material.use_nodes:
        material.use_nodes = True


def new_node(tree: bpy.types.NodeTree, kind: type[NodeT], x: float = 0, y: float = 0) -> NodeT:
    """A new node of a class such as `bpy.types.ShaderNodeMath` at a position."""
    node = tree.nodes.new(kind.__name__)
    assert isinstance(node, kind)
    node.location = (x, y)
    return node


def find_node(material: bpy.types.Material, kind: type[NodeT]) -> NodeT | None:
    """The first node of a class in a material, or None."""
    return next((node for node in tree_of(material).nodes if isinstance(node, kind)), None)


def need_node(material: bpy.types.Material, kind: type[NodeT]) -> NodeT:
    """The first node of a class in a material. Raises ValueError where there is none."""
    node = find_node(material, kind)
    if node is None:
        raise ValueError(f"The material '{material.name}' has no node {kind.__name__}.")
    return node


def input_of(node: bpy.types.Node, name: str | int) -> bpy.types.NodeSocket:
    """An input of a node, by its name or position."""
    return node.inputs[name]


def output_of(node: bpy.types.Node, name: str | int) -> bpy.types.NodeSocket:
    """An output of a node, by its name or position."""
    return node.outputs[name]


def input_value(node: bpy.types.Node, name: str | int) -> Any:
    """The value of an input that nothing is linked to: a number, a vector or a color."""
    socket: Any = input_of(node, name)
    return socket.default_value


def set_input(node: bpy.types.Node, name: str | int, value: float | Sequence[float]) -> None:
    """Set the value of an input that nothing is linked to."""
    socket: Any = input_of(node, name)
    socket.default_value = value


def links_of(socket: bpy.types.NodeSocket) -> Iterable[bpy.types.NodeLink]:
    """The links to an input or from an output."""
    return socket.links or ()


def source_node(link: bpy.types.NodeLink) -> bpy.types.Node:
    """The node from which a link comes."""
    assert link.from_node is not None
    return link.from_node


def select_only(tree: bpy.types.NodeTree, node: bpy.types.Node) -> None:
    """Select a node, make it the active one, and deselect the others."""
    for other in tree.nodes:
        other.select = other == node
    tree.nodes.active = node


def mix_shaders(
    tree: bpy.types.NodeTree,
    share: bpy.types.NodeSocket,
    first: bpy.types.NodeSocket,
    second: bpy.types.NodeSocket,
    x: float,
    y: float,
) -> bpy.types.NodeSocket:
    """The output of a new node that mixes two shaders; a share of 0 is the first one."""
    node = new_node(tree, bpy.types.ShaderNodeMixShader, x, y)
    for index, socket in enumerate((share, first, second)):
        tree.links.new(socket, input_of(node, index))
    return output_of(node, 0)


def link_for_cycles(material: bpy.types.Material, shader: bpy.types.NodeSocket) -> None:
    """Show a shader in Cycles only, with an output of its own. All else keeps the output that is there."""
    tree, plain = tree_of(material), need_node(material, bpy.types.ShaderNodeOutputMaterial)
    exact = new_node(tree, bpy.types.ShaderNodeOutputMaterial, 900, -100)
    exact.target, exact.is_active_output = "CYCLES", False
    tree.links.new(shader, input_of(exact, "Surface"))
    # Exporters read the output that is active.
    plain.is_active_output = True


def shared_group(name: str, tag: str, version: int, make: Callable[[bpy.types.NodeTree], None]) -> bpy.types.NodeTree:
    """The node group of this file whose custom property `tag` has the value `version`, or a new one.

    make  fills a new group with its sockets and nodes
    """
    for group in bpy.data.node_groups:
        if group.get(tag) == version and group.library is None:
            return group
    group = bpy.data.node_groups.new(name, "ShaderNodeTree")
    group[tag] = version
    make(group)
    return group


def add_group(tree: bpy.types.NodeTree, group: bpy.types.NodeTree, label: str) -> bpy.types.ShaderNodeGroup:
    """A new node that holds a node group."""
    node = new_node(tree, bpy.types.ShaderNodeGroup)
    assert isinstance(group, bpy.types.ShaderNodeTree)
    node.node_tree = group
    node.label = label
    return node


def find_group(material: bpy.types.Material | None, tag: str) -> bpy.types.ShaderNodeGroup | None:
    """The node of a material (or None) that holds a group with the custom property `tag`, or None."""
    if material is None or material.node_tree is None:
        return None
    for node in material.node_tree.nodes:
        if isinstance(node, bpy.types.ShaderNodeGroup) and node.node_tree is not None and node.node_tree.get(tag):
            return node
    return None


def interface_of(group: bpy.types.NodeTree) -> Any:
    """The interface of a node group; its sockets have the defaults and limits of their kind."""
    return group.interface


def add_sliders(group: bpy.types.NodeTree, sliders: Iterable[Slider]) -> None:
    """Give a node group an input socket for each slider, and the output "Color"."""
    interface = interface_of(group)
    for name, default, maximum, description in sliders:
        socket = interface.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat", description=description)
        socket.default_value, socket.min_value, socket.max_value = default, 0.0, maximum
    interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")


class NodeBuilder:
    """Adds nodes to a tree in columns; inputs are given as sockets or as values."""

    def __init__(self, tree: bpy.types.NodeTree):
        self.tree = tree
        self._rows: dict[int, int] = {}

    def node(self, kind: type[NodeT], column: int) -> NodeT:
        """A new node of a class below those already in the column."""
        row = self._rows[column] = self._rows.get(column, -1) + 1
        return new_node(self.tree, kind, column * 190, -row * 190)

    def math(self, operation: str, column: int, *inputs: Feed, clamp: bool = False) -> bpy.types.NodeSocket:
        """The result of a Math node; `operation` is one of Blender's names such as "MULTIPLY"."""
        node = self.node(bpy.types.ShaderNodeMath, column)
        _set_operation(node, operation)
        node.use_clamp = clamp
        self._feed(node, inputs)
        return output_of(node, 0)

    def vector(
        self, operation: str, column: int, *inputs: Feed, scale: bpy.types.NodeSocket | None = None
    ) -> bpy.types.NodeSocket:
        """The vector result of a Vector Math node."""
        node = self.node(bpy.types.ShaderNodeVectorMath, column)
        _set_operation(node, operation)
        self._feed(node, inputs)
        if scale is not None:
            self.tree.links.new(scale, input_of(node, "Scale"))
        return output_of(node, 0)

    def dot(self, column: int, first: Feed, second: Feed) -> bpy.types.NodeSocket:
        """The dot product of two vectors."""
        node = self.node(bpy.types.ShaderNodeVectorMath, column)
        node.operation = "DOT_PRODUCT"
        self._feed(node, (first, second))
        return output_of(node, "Value")

    def mix(self, column: int, share: bpy.types.NodeSocket, first: Feed, second: Feed) -> bpy.types.NodeSocket:
        """first + share * (second - first), of vectors."""
        difference = self.vector("SUBTRACT", column, second, first)
        return self.vector("ADD", column + 1, first, self.vector("SCALE", column, difference, scale=share))

    def _feed(self, node: bpy.types.Node, inputs: Iterable[Feed]) -> None:
        for index, given in enumerate(inputs):
            if isinstance(given, bpy.types.NodeSocket):
                self.tree.links.new(given, input_of(node, index))
            else:
                set_input(node, index, given)


def _set_operation(node: Any, operation: str) -> None:
    node.operation = operation
