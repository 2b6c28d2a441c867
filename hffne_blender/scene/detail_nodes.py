# SPDX-License-Identifier: GPL-3.0-or-later
"""The sliders of a face's detail: a node group that weights the bands of its normal map while it is rendered.

Strength is also an output, for what shows the relief otherwise than by its normals (scene.material).

Its inputs are normal maps: the whole, the one without fine detail, the one without fine and medium detail, and the
one with synthetic pores. In slopes (x / z, y / z) bands add up, so the group takes their differences, weights each,
adds them and encodes the sum as a normal map again (partial derivative blending). With the sliders as they are at
first that is the whole normal map unchanged. `mixed` computes the same with numpy, for exports.
"""

from collections.abc import Mapping

import bpy
import numpy as np

from ..numeric import detail_bands
from ..numeric.vectors import unit
from . import images, textures
from .nodes import (
    NodeBuilder,
    add_group,
    add_sliders,
    find_group,
    input_of,
    input_value,
    interface_of,
    output_of,
    shared_group,
)

GROUP, TAG = "HFFNE Detail", "hffne_detail"
# Raised when the nodes change: a file keeps the group with which its faces were made.
VERSION = 3
PORES = "Synthetic Pores"
# name, default, maximum, description
SLIDERS = (
    ("Strength", 1.0, 3.0, "Factor on all of the detail"),
    ("Fine", 1.0, 3.0, "Pores and fine lines, below about 4 mm"),
    ("Medium", 1.0, 3.0, "Wrinkles, about 4 to 12 mm"),
    ("Coarse", 1.0, 3.0, "Folds and the shape that the mesh does not have, above about 12 mm"),
    ("Smoothing", 0.0, 1.0, "Remove detail, the finest first"),
    (PORES, 0.0, 3.0, "Pores and fine lines that no photo showed; at 1 as steep as those of a head scan"),
    ("Split", 0.0, 1.0, "Show the base mesh without detail on the left of this part of the picture"),
)
_SOCKETS = {
    "normal": "Normal",
    "normal_medium": "Without Fine",
    "normal_coarse": "Without Medium",
    "normal_pores": "With Pores",
}


def add_node(tree: bpy.types.NodeTree, maps: Mapping[str, bpy.types.NodeSocket]) -> bpy.types.ShaderNodeGroup:
    """A node of the group in a material's tree, linked to `maps`: kind -> output socket ("normal" at least)."""
    node = add_group(tree, shared_group(GROUP, TAG, VERSION, _make), "Detail")
    for kind, socket in _SOCKETS.items():
        # Without bands all of the detail counts as coarse.
        tree.links.new(maps.get(kind, maps["normal"]), input_of(node, socket))
    return node


def find_node(material: bpy.types.Material | None) -> bpy.types.ShaderNodeGroup | None:
    """The detail node of a material, or None."""
    return find_group(material, TAG)


def has_sliders(obj: bpy.types.Object | None) -> bool:
    """Whether an object (or None) is a mesh whose first material has the detail sliders."""
    if obj is None or not isinstance(obj.data, bpy.types.Mesh) or not len(obj.data.materials):
        return False
    return find_node(obj.data.materials[0]) is not None


def has_bands(material: bpy.types.Material) -> bool:
    """Whether a face's material has separate maps of its fine and medium detail."""
    return "normal_medium" in textures.of_material(material)


def unavailable_reason(material: bpy.types.Material, name: str) -> str:
    """What a material does not have and the slider `name` needs, in words, or "" where the slider works."""
    if name == PORES and "normal_pores" not in textures.of_material(material):
        return "no map of synthetic pores: generate it with Synthetic Pores ticked among the maps"
    return ""


def weights(node: bpy.types.ShaderNodeGroup) -> tuple[float, float, float, float]:
    """The weights (fine, medium, coarse, pores) that the sliders of a detail node give, without the split."""
    # A file keeps the group with which its faces were made; an older one has fewer sliders.
    value = {name: input_value(node, name) if name in node.inputs else default for name, default, *_ in SLIDERS}
    smoothed = 1 - np.clip(2 * value["Smoothing"], 0, 1)
    fine, made_up = value["Fine"] * smoothed, value[PORES] * smoothed
    medium = value["Medium"] * (1 - np.clip(2 * value["Smoothing"] - 1, 0, 1))
    strength = value["Strength"]
    return strength * fine, strength * medium, strength * value["Coarse"], strength * made_up


def mixed(material: bpy.types.Material) -> np.ndarray:
    """The material's tangent-space normal map as its sliders make it: (T, T, 3) float32 unit vectors.

    Raises ValueError for a material without the map.
    """
    maps = textures.of_material(material)
    if "normal" not in maps:
        raise ValueError(f"The material '{material.name}' has no normal map of a face")
    node = find_node(material)
    whole = images.normals(maps["normal"])
    if node is None:
        return unit(whole)
    shares = weights(node)
    medium, coarse, pores = (
        images.normals(maps[kind]) if kind in maps and (kind != "normal_pores" or shares[-1]) else None
        for kind in list(_SOCKETS)[1:]
    )
    return detail_bands.mix(whole, medium, coarse, pores, shares)


def _make(group: bpy.types.NodeTree) -> None:
    interface = interface_of(group)
    for name in _SOCKETS.values():
        socket = interface.new_socket(name, in_out="INPUT", socket_type="NodeSocketColor")
        socket.default_value = (0.5, 0.5, 1, 1)
    add_sliders(group, SLIDERS)
    interface.new_socket("Strength", in_out="OUTPUT", socket_type="NodeSocketFloat")
    _build(group)


def _build(group: bpy.types.NodeTree) -> None:
    """The group's nodes; vectors are slopes with 1 as their z."""
    build = NodeBuilder(group)
    given = build.node(bpy.types.NodeGroupInput, 0).outputs
    slopes = []
    for name in _SOCKETS.values():
        normal = build.vector("MULTIPLY_ADD", 1, given[name], (2, 2, 2), (-1, -1, -1))
        parts = build.node(bpy.types.ShaderNodeSeparateXYZ, 2)
        group.links.new(normal, input_of(parts, 0))
        least = build.math("MAXIMUM", 3, output_of(parts, "Z"), detail_bands.LEAST_Z)
        slopes.append(build.vector("SCALE", 4, normal, scale=build.math("DIVIDE", 4, 1.0, least)))
    smoothing = given["Smoothing"]
    keeps_fine = build.math("MULTIPLY_ADD", 2, smoothing, -2.0, 1.0, clamp=True)
    keeps_medium = build.math("MULTIPLY_ADD", 2, smoothing, -2.0, 2.0, clamp=True)
    fine = build.math("MULTIPLY", 3, given["Fine"], keeps_fine)
    medium = build.math("MULTIPLY", 3, given["Medium"], keeps_medium)
    pores = build.math("MULTIPLY", 3, given[PORES], keeps_fine)

    bands = [
        build.vector("SCALE", 6, build.vector("SUBTRACT", 5, slopes[0], slopes[1]), scale=fine),
        build.vector("SCALE", 6, build.vector("SUBTRACT", 5, slopes[1], slopes[2]), scale=medium),
        build.vector("SCALE", 6, slopes[2], scale=given["Coarse"]),
        build.vector("SCALE", 6, build.vector("SUBTRACT", 5, slopes[3], slopes[0]), scale=pores),
    ]
    total = bands[0]
    for band in bands[1:]:
        total = build.vector("ADD", 7, total, band)

    # On the left of the split nothing is added to the mesh; a split of 0 is no split, also in a bake.
    position = build.node(bpy.types.ShaderNodeTexCoord, 2)
    window = build.node(bpy.types.ShaderNodeSeparateXYZ, 3)
    group.links.new(output_of(position, "Window"), input_of(window, 0))
    left = build.math("GREATER_THAN", 4, given["Split"], output_of(window, "X"))
    split = build.math("GREATER_THAN", 4, given["Split"], 0.0)
    right = build.math("SUBTRACT", 6, 1.0, build.math("MULTIPLY", 5, left, split))
    strength = build.math("MULTIPLY", 7, given["Strength"], right)
    total = build.vector("SCALE", 8, total, scale=strength)
    with_z = build.vector("MULTIPLY_ADD", 9, total, (1, 1, 0), (0, 0, 1))
    normalized = build.vector("NORMALIZE", 10, with_z)
    encoded = build.vector("MULTIPLY_ADD", 11, normalized, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    result = build.node(bpy.types.NodeGroupOutput, 12)
    group.links.new(encoded, input_of(result, "Color"))
    group.links.new(given["Strength"], input_of(result, "Strength"))
