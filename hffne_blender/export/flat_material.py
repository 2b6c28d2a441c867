# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials as exporters understand them: one Principled BSDF with each picture linked directly."""

from collections.abc import Mapping

import bpy

from ..scene.access import tree_of
from ..scene.nodes import (
    find_node,
    input_of,
    links_of,
    need_node,
    new_material,
    new_node,
    output_of,
    set_input,
    source_node,
)

# What is copied of a shader; Base Color and Alpha where no picture is linked.
_VALUES = (
    "Base Color", "Metallic", "Roughness", "IOR", "Alpha", "Specular IOR Level", "Coat Weight", "Coat Roughness",
)  # fmt: skip
# The node group from which the glTF exporter takes the occlusion.
_GLTF = "glTF Material Output"


def picture_of(material: bpy.types.Material) -> bpy.types.Image | None:
    """The picture that a plain material shows as its color, or None."""
    shader = find_node(material, bpy.types.ShaderNodeBsdfPrincipled)
    return None if shader is None else _picture(shader, "Base Color")


def build(
    material: bpy.types.Material, pictures: Mapping[str, bpy.types.Image], uv_name: str, is_skin: bool
) -> bpy.types.Material:
    """A new plain material in place of a face's or a part's. Raises ValueError for one without a Principled BSDF.

    pictures  of "base_color", "normal", "roughness", "orm" and "occlusion", as far as they are there
    """
    old = need_node(material, bpy.types.ShaderNodeBsdfPrincipled)
    flat = new_material(material.name)
    tree, shader = tree_of(flat), need_node(flat, bpy.types.ShaderNodeBsdfPrincipled)
    for name in _VALUES:
        value = input_of(old, name)
        if not value.is_linked:
            set_input(shader, name, value.default_value)  # type: ignore[attr-defined]
    flat.diffuse_color = material.diffuse_color
    flat.surface_render_method, flat.use_backface_culling = material.surface_render_method, False

    read = {name: _read(tree, image, name) for name, image in pictures.items()}
    if "base_color" in read:
        tree.links.new(output_of(read["base_color"], "Color"), input_of(shader, "Base Color"))
        if not is_skin and input_of(old, "Alpha").is_linked:
            tree.links.new(output_of(read["base_color"], "Alpha"), input_of(shader, "Alpha"))
    if "normal" in read:
        normal = new_node(tree, bpy.types.ShaderNodeNormalMap, -300, -600)
        normal.uv_map = uv_name
        tree.links.new(output_of(read["normal"], "Color"), input_of(normal, "Color"))
        tree.links.new(output_of(normal, "Normal"), input_of(shader, "Normal"))
    if "orm" in read:
        parts = new_node(tree, bpy.types.ShaderNodeSeparateColor, -300, -300)
        tree.links.new(output_of(read["orm"], "Color"), input_of(parts, 0))
        tree.links.new(output_of(parts, "Green"), input_of(shader, "Roughness"))
        tree.links.new(output_of(parts, "Blue"), input_of(shader, "Metallic"))
        group = new_node(tree, bpy.types.ShaderNodeGroup, 0, -600)
        group.node_tree = gltf_group()
        tree.links.new(output_of(parts, "Red"), input_of(group, "Occlusion"))
    elif "roughness" in read:
        tree.links.new(output_of(read["roughness"], "Color"), input_of(shader, "Roughness"))
    return flat


def gltf_group() -> bpy.types.ShaderNodeTree:
    """The node group of this file from which the glTF exporter takes the occlusion."""
    found = bpy.data.node_groups.get(_GLTF)
    if not isinstance(found, bpy.types.ShaderNodeTree):
        found = bpy.data.node_groups.new(_GLTF, "ShaderNodeTree")
        assert isinstance(found, bpy.types.ShaderNodeTree) and found.interface is not None
        found.interface.new_socket("Occlusion", in_out="INPUT", socket_type="NodeSocketFloat")
    return found


def _read(tree: bpy.types.ShaderNodeTree, image: bpy.types.Image, name: str) -> bpy.types.ShaderNodeTexImage:
    node = new_node(tree, bpy.types.ShaderNodeTexImage, -700, {"base_color": 300, "normal": -600}.get(name, -300))
    node.image = image
    return node


def _picture(shader: bpy.types.ShaderNodeBsdfPrincipled, name: str) -> bpy.types.Image | None:
    nodes = [source_node(link) for link in links_of(input_of(shader, name))]
    return next((node.image for node in nodes if isinstance(node, bpy.types.ShaderNodeTexImage)), None)
