# SPDX-License-Identifier: GPL-3.0-or-later
"""A face's color or roughness in the target's material: mixed over what the artist has there, by its own opacity."""

from collections.abc import Iterable
from typing import Any

import bpy

from ..scene.access import tree_of
from ..scene.nodes import input_of, input_value, links_of, new_node, output_of
from ..system.required import required
from .target_material import link_uv


def assign(obj: bpy.types.Object, slots: Iterable[int], uv_name: str, socket: str, image: bpy.types.Image) -> list[str]:
    """Let the Principled BSDFs in the materials of the slots (indices), which are the object's own, show a picture.

    socket  "Base Color" or "Roughness"
    image   its alpha says how much of it is the face's

    Returns the names of the materials without such a shader.
    """
    unlinked = []
    for index in slots:
        material = obj.material_slots[min(index, len(obj.material_slots) - 1)].material
        if material is not None and not _show(tree_of(material), uv_name, socket, image):
            unlinked.append(material.name)
    return unlinked


def _show(tree: bpy.types.NodeTree, uv_name: str, socket: str, image: bpy.types.Image) -> bool:
    name = f"HFFNE {socket}"
    read = tree.nodes.get(name)
    if isinstance(read, bpy.types.ShaderNodeTexImage):
        # A later run: the artist may have moved the nodes.
        read.image = image
        return True
    shaders = [node for node in tree.nodes if isinstance(node, bpy.types.ShaderNodeBsdfPrincipled)]
    if not shaders:
        return False
    x, y = shaders[0].location.x, shaders[0].location.y
    read = new_node(tree, bpy.types.ShaderNodeTexImage, x - 620, y + (320 if socket == "Base Color" else 40))
    read.name = read.label = name
    read.image = image
    link_uv(tree, read, uv_name)
    is_color = socket == "Base Color"
    textures = [node for node in tree.nodes if isinstance(node, bpy.types.ShaderNodeTexImage)]
    if is_color and all(node.name.startswith("HFFNE ") for node in textures):
        # The Solid viewport shows the active texture: the color, not the normal map.
        tree.nodes.active = read
    for shader in shaders:
        mix = new_node(tree, bpy.types.ShaderNodeMix, x - 250, read.location.y)
        mix.data_type = "RGBA" if is_color else "FLOAT"
        mix.label = name
        inputs: Any = mix.inputs
        outputs: Any = mix.outputs
        before, face = [entry for entry in inputs if entry.name in ("A", "B") and entry.enabled]
        result = next(output for output in outputs if output.enabled)
        taken = input_of(shader, socket)
        if taken.is_linked:
            tree.links.new(required(next(iter(links_of(taken))).from_socket), before)
        else:
            before.default_value = input_value(shader, socket)
        tree.links.new(output_of(read, "Color"), face)
        tree.links.new(output_of(read, "Alpha"), input_of(mix, 0))
        tree.links.new(result, taken)
    return True
