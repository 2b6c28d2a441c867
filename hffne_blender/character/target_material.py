# SPDX-License-Identifier: GPL-3.0-or-later
"""The target's material with the face's maps in it: a copy, so that the artist's own stays as it is.

The copy is put into the object's slot (link "Object"), so that the mesh and the other users of the mesh or of the
material do not change. A later run finds the nodes by their names.
"""

from collections.abc import Iterable
from typing import Any

import bpy

from ..scene.access import mesh_of, tree_of
from ..scene.nodes import NodeT, enable_nodes, input_of, interface_of, links_of, new_node, output_of, set_input

NORMAL, NORMAL_MAP, HEIGHT, DISPLACE = "HFFNE Normal", "HFFNE Normal Map", "HFFNE Height", "HFFNE Displacement"
SUM, REST, UNIT, SMOOTH = "HFFNE Sum", "HFFNE Rest", "HFFNE Unit", "HFFNE Smooth Normal"
APPLIED = "hffne_applied"


def assign(
    obj: bpy.types.Object,
    slots: Iterable[int],
    uv_name: str,
    normal: bpy.types.Image | None = None,
    height: bpy.types.Image | None = None,
    scale: float = 0.0,
) -> list[str]:
    """Put the maps into the materials of the slots (indices) of `obj`.

    normal  tangent space over `uv_name`
    height  0.5 is no displacement; it is linked only where there is no normal map that shows the same relief
    scale   the whole range of `height` in object units

    Returns the names of the materials in which no shader takes a normal, so that nothing shows the map.
    """
    unlinked = []
    if not obj.material_slots:
        # A mesh without a slot has nowhere to put a material.
        mesh_of(obj).materials.append(None)
    for index in slots:
        slot = obj.material_slots[min(index, len(obj.material_slots) - 1)]
        material = slot.material
        if material is None or material.get(APPLIED) is None or _shared(material, obj):
            material = _copy_of(material, obj)
            slot.link = "OBJECT"
            slot.material = material
        if normal is not None and not _set_normal(tree_of(material), uv_name, normal):
            unlinked.append(material.name)
        if height is not None:
            _set_height(material, uv_name, height, scale)
    return unlinked


def _shared(material: bpy.types.Material, obj: bpy.types.Object) -> bool:
    """Whether another object has the material too: a copy of this one, which must stay as it is."""
    return any(slot.material == material for other in bpy.data.objects if other != obj for slot in other.material_slots)


def _copy_of(material: bpy.types.Material | None, obj: bpy.types.Object) -> bpy.types.Material:
    own = material.copy() if material is not None else bpy.data.materials.new(f"{obj.name} skin")
    if material is None or material.get(APPLIED) is None:
        own.name = f"{material.name if material else obj.name} HFFNE"
    enable_nodes(own)
    own[APPLIED] = True
    return own


def _set_normal(tree: bpy.types.NodeTree, uv_name: str, image: bpy.types.Image) -> bool:
    """Put the normal map into a material's nodes; False where no shader of it takes a normal."""
    texture, normal_map = tree.nodes.get(NORMAL), tree.nodes.get(NORMAL_MAP)
    if isinstance(texture, bpy.types.ShaderNodeTexImage) and isinstance(normal_map, bpy.types.ShaderNodeNormalMap):
        texture.image, normal_map.uv_map = image, uv_name
        return output_of(normal_map, "Normal").is_linked
    x, y = min(((node.location.x, node.location.y) for node in _shaders(tree)), default=(0, 0))
    texture = _named(tree, bpy.types.ShaderNodeTexImage, NORMAL, x - 620, y - 420)
    texture.image = image
    link_uv(tree, texture, uv_name)
    normal_map = _named(tree, bpy.types.ShaderNodeNormalMap, NORMAL_MAP, x - 300, y - 420)
    normal_map.uv_map = uv_name
    tree.links.new(output_of(texture, "Color"), input_of(normal_map, "Color"))
    return _feed(tree, output_of(normal_map, "Normal"), x - 300, y - 640)


def _shaders(tree: bpy.types.NodeTree) -> list[bpy.types.Node]:
    """The shaders of a node tree that take a normal, Principled or others."""
    return [
        node
        for node in tree.nodes
        if "Normal" in node.inputs and any(output.type == "SHADER" for output in node.outputs)
        if node.type != "GROUP"
    ]


def _feed(
    tree: bpy.types.NodeTree, ours: bpy.types.NodeSocket, x: float, y: float, group: bpy.types.Node | None = None
) -> bool:
    """Let every shader of a tree and of the groups in it take the normal `ours`; False where there is none.

    group  the node that holds `tree`, if that is a group's

    Groups become copies with an input of their own, because other materials use them too.
    """
    found = False
    for surface in _shaders(tree):
        socket = input_of(surface, "Normal")
        before = next((link.from_socket for link in links_of(socket)), None)
        if before is not None and not _nothing(before, group):
            tree.links.new(_added(tree, before, ours, x, y), socket)
        else:
            tree.links.new(ours, socket)
        found = True
    for node in list(tree.nodes):
        inner = node.node_tree if isinstance(node, bpy.types.ShaderNodeGroup) else None
        if inner is None or not _has_shaders(inner):
            continue
        assert isinstance(node, bpy.types.ShaderNodeGroup)
        inner = node.node_tree = inner.copy()
        entry: Any = interface_of(inner).new_socket(NORMAL_MAP, in_out="INPUT", socket_type="NodeSocketVector")
        # An input without a value of its own.
        entry.hide_value = True
        given = new_node(inner, bpy.types.NodeGroupInput, -900, -500)
        socket = next(output for output in given.outputs if output.identifier == entry.identifier)
        _feed(inner, socket, -700, -500, node)
        outside = next(entered for entered in node.inputs if entered.identifier == entry.identifier)
        tree.links.new(ours, outside)
        found = True
    return found


def _has_shaders(tree: bpy.types.NodeTree, depth: int = 8) -> bool:
    inner = (node.node_tree for node in tree.nodes if isinstance(node, bpy.types.ShaderNodeGroup))
    return bool(_shaders(tree)) or (
        depth > 0 and any(other is not None and _has_shaders(other, depth - 1) for other in inner)
    )


def _nothing(socket: bpy.types.NodeSocket, group: bpy.types.Node | None) -> bool:
    """Whether a normal comes from an input of the group to which nothing is linked outside."""
    if group is None or not isinstance(socket.node, bpy.types.NodeGroupInput):
        return False
    return not any(entered.identifier == socket.identifier and entered.is_linked for entered in group.inputs)


def _added(
    tree: bpy.types.NodeTree, before: bpy.types.NodeSocket, ours: bpy.types.NodeSocket, x: float, y: float
) -> bpy.types.NodeSocket:
    """The artist's own relief and the face's together: the sum of both normals, minus the plain one in both of them."""
    total = _named(tree, bpy.types.ShaderNodeVectorMath, SUM, x, y)
    plain = _named(tree, bpy.types.ShaderNodeNewGeometry, SMOOTH, x - 200, y - 200)
    rest = _named(tree, bpy.types.ShaderNodeVectorMath, REST, x + 180, y)
    normalized = _named(tree, bpy.types.ShaderNodeVectorMath, UNIT, x + 360, y)
    total.operation, rest.operation, normalized.operation = "ADD", "SUBTRACT", "NORMALIZE"
    tree.links.new(before, input_of(total, 0))
    tree.links.new(ours, input_of(total, 1))
    tree.links.new(output_of(total, 0), input_of(rest, 0))
    tree.links.new(output_of(plain, "Normal"), input_of(rest, 1))
    tree.links.new(output_of(rest, 0), input_of(normalized, 0))
    return output_of(normalized, 0)


def _set_height(material: bpy.types.Material, uv_name: str, image: bpy.types.Image, scale: float) -> None:
    tree = tree_of(material)
    texture, displace = tree.nodes.get(HEIGHT), tree.nodes.get(DISPLACE)
    outputs = (node for node in tree.nodes if isinstance(node, bpy.types.ShaderNodeOutputMaterial))
    output = next((node for node in outputs if node.is_active_output), None)
    x, y = (output.location.x, output.location.y) if output else (300, 0)
    if not isinstance(texture, bpy.types.ShaderNodeTexImage) or displace is None:
        texture = _named(tree, bpy.types.ShaderNodeTexImage, HEIGHT, x - 620, y - 700)
        link_uv(tree, texture, uv_name)
        displace = _named(tree, bpy.types.ShaderNodeDisplacement, DISPLACE, x - 250, y - 700)
        tree.links.new(output_of(texture, "Color"), input_of(displace, "Height"))
    texture.image = image
    set_input(displace, "Midlevel", 0.5)
    set_input(displace, "Scale", scale)
    if tree.nodes.get(NORMAL) is not None or output is None:
        return
    if not input_of(output, "Displacement").is_linked:
        tree.links.new(output_of(displace, "Displacement"), input_of(output, "Displacement"))
        material.displacement_method = "BOTH"


def link_uv(tree: bpy.types.NodeTree, texture: bpy.types.ShaderNodeTexImage, uv_name: str) -> None:
    """Let the texture use a UV map by its name, whichever is the active one."""
    name = f"{texture.name} UV"
    uv = _named(tree, bpy.types.ShaderNodeUVMap, name, texture.location.x - 220, texture.location.y)
    uv.uv_map = uv_name
    tree.links.new(output_of(uv, "UV"), input_of(texture, "Vector"))


def _named(tree: bpy.types.NodeTree, kind: type[NodeT], name: str, x: float, y: float) -> NodeT:
    node = new_node(tree, kind, x, y)
    node.name = node.label = name
    return node
