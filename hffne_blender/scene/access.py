# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's data with the types that its API leaves open: meshes, node trees, collections as arrays."""

from typing import Any

import bpy
import numpy as np


def mesh_of(obj: bpy.types.Object) -> bpy.types.Mesh:
    """The mesh of a mesh object. Raises TypeError for another kind of object."""
    if not isinstance(obj.data, bpy.types.Mesh):
        raise TypeError(f"The object '{obj.name}' is not a mesh.")
    return obj.data


def first_material(obj: bpy.types.Object) -> bpy.types.Material:
    """The first material of a mesh object. Raises ValueError where there is none."""
    materials = mesh_of(obj).materials
    material = materials[0] if len(materials) else None
    if material is None:
        raise ValueError(f"The object '{obj.name}' has no material.")
    return material


def tree_of(material: bpy.types.Material) -> bpy.types.ShaderNodeTree:
    """The node tree of a material. Raises ValueError where there is none."""
    if material.node_tree is None:
        raise ValueError(f"The material '{material.name}' has no nodes.")
    return material.node_tree


def read_array(collection: Any, name: str, width: int, dtype: type[np.generic] = np.float32) -> np.ndarray:
    """The property `name` of all members of a collection (C members): (C,) for a width of 1, else (C, width).

    dtype  the type in which Blender stores the property: float32, int32 or bool
    """
    values = np.empty(len(collection) * width, dtype)
    collection.foreach_get(name, values)
    return values if width == 1 else values.reshape(-1, width)


def write_array(collection: Any, name: str, values: np.ndarray, dtype: type[np.generic] = np.float32) -> None:
    """Set the property `name` of all members of a collection from `values`, in the members' order."""
    collection.foreach_set(name, np.ascontiguousarray(values, dtype).ravel())
