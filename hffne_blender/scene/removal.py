# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing a face with everything that was made for it alone."""

import bpy

from .access import mesh_of


def remove(obj: bpy.types.Object) -> None:
    """Remove a face object, its mesh, materials, node groups and images; what something else uses stays."""
    mesh = mesh_of(obj)
    materials = [material for material in mesh.materials if material is not None]
    images = {value for value in obj.values() if isinstance(value, bpy.types.Image)}
    groups: set[bpy.types.NodeTree] = set()
    waiting = [material.node_tree for material in materials if material.node_tree is not None]
    while waiting:
        for node in waiting.pop().nodes:
            if isinstance(node, bpy.types.ShaderNodeTexImage) and node.image is not None:
                images.add(node.image)
            tree = node.node_tree if isinstance(node, bpy.types.ShaderNodeGroup) else None
            if tree is not None and tree not in groups:
                groups.add(tree)
                waiting.append(tree)
    bpy.data.batch_remove([obj])
    for blocks in ([mesh], materials, groups, images):
        bpy.data.batch_remove([block for block in blocks if block.users == 0])
