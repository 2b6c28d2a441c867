# SPDX-License-Identifier: GPL-3.0-or-later
"""The sliders of a face's detail: a node group that weighs the bands of its normal map, live.

Strength also comes out again, for what shows the relief otherwise than by its normals (scene.material).

Three normal maps come in: the whole, the one without fine relief, and the one without fine and medium
relief. In slopes (x / z, y / z) bands add up, so the group takes their differences, weighs each, adds them
and gives a normal map again (partial derivative blending). With all sliders at 1 and Smoothing at 0 that
is the whole normal map as it was. `mixed` is the same with numpy, for exports.
"""

import numpy as np

from . import images, textures
from .nodes import NodeBuilder, add_sliders, find_group, shared_group

GROUP, TAG = "HFFNE Detail", "hffne_detail"
# Raised when the nodes change: a file keeps the group that its faces were made with.
VERSION = 2
LEAST_Z = 0.05
# name, default, most, description
SLIDERS = (
    ("Strength", 1.0, 3.0, "How strong all of the detail is"),
    ("Fine", 1.0, 3.0, "Pores and fine lines, below about 4 mm"),
    ("Medium", 1.0, 3.0, "Wrinkles, about 4 to 12 mm"),
    ("Coarse", 1.0, 3.0, "Folds and what the mesh lacks of the shape, above about 12 mm"),
    ("Smoothing", 0.0, 1.0, "Take away detail, the finest first"),
    ("Split", 0.0, 1.0, "Show the bare base mesh on the left of this part of the picture"),
)
NORMALS = ("normal", "normal_medium", "normal_coarse")
_SOCKETS = {"normal": "Normal", "normal_medium": "Without Fine", "normal_coarse": "Without Medium"}


def add_node(tree, made):
    """A node of the group in a material's tree, its maps linked to `made`: kind -> output socket."""
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = shared_group(GROUP, TAG, VERSION, _make)
    node.label = "Detail"
    for kind in NORMALS:
        # Without bands all of the detail counts as coarse.
        tree.links.new(made.get(kind, made["normal"]), node.inputs[_SOCKETS[kind]])
    return node


def find_node(material):
    """The detail node of a material, or None."""
    return find_group(material, TAG)


def is_face(obj):
    """Whether an object (or None) is a face with its sliders."""
    return (
        obj is not None
        and obj.type == "MESH"
        and bool(obj.data.materials)
        and find_node(obj.data.materials[0]) is not None
    )


def has_bands(material):
    """Whether the fine and the medium relief of a face's material are known apart."""
    return "normal_medium" in textures.of_material(material)


def weights(node):
    """(fine, medium, coarse) as the sliders of a detail node stand, without the split."""
    value = {name: node.inputs[name].default_value for name, *_ in SLIDERS}
    fine = value["Fine"] * (1 - np.clip(2 * value["Smoothing"], 0, 1))
    medium = value["Medium"] * (1 - np.clip(2 * value["Smoothing"] - 1, 0, 1))
    return tuple(value["Strength"] * part for part in (fine, medium, value["Coarse"]))


def mixed(material):
    """The material's tangent-space normal map as its sliders make it: (T, T, 3) float32 unit vectors."""
    made = textures.of_material(material)
    node = find_node(material)
    whole = images.values(made["normal"])[..., :3] * 2 - 1
    if node is None:
        return whole / np.linalg.norm(whole, axis=2, keepdims=True)
    size = len(whole)
    slopes = [_slope(whole)]
    for kind in NORMALS[1:]:
        if kind in made:
            slopes.append(_slope(enlarge(images.values(made[kind])[..., :3], size) * 2 - 1))
        else:
            slopes.append(slopes[0])
    fine, medium, coarse = weights(node)
    total = fine * (slopes[0] - slopes[1]) + medium * (slopes[1] - slopes[2]) + coarse * slopes[2]
    normal = np.dstack([total, np.ones(total.shape[:2], np.float32)])
    return (normal / np.linalg.norm(normal, axis=2, keepdims=True)).astype(np.float32)


def enlarge(picture, size):
    """A picture (S, S, C) at size x size, linear between texel centers, as a shader reads it."""
    side = len(picture)
    if side == size:
        return picture
    at = np.clip((np.arange(size) + 0.5) * side / size - 0.5, 0, side - 1)
    low = np.minimum(at.astype(int), max(side - 2, 0))
    share = (at - low).astype(np.float32)
    high = np.minimum(low + 1, side - 1)
    rows = picture[low] * (1 - share)[:, None, None] + picture[high] * share[:, None, None]
    return rows[:, low] * (1 - share)[None, :, None] + rows[:, high] * share[None, :, None]


def _slope(normal):
    return normal[..., :2] / np.maximum(normal[..., 2:], LEAST_Z)


def _make(group):
    for kind in NORMALS:
        socket = group.interface.new_socket(_SOCKETS[kind], in_out="INPUT", socket_type="NodeSocketColor")
        socket.default_value = (0.5, 0.5, 1, 1)
    add_sliders(group, SLIDERS)
    group.interface.new_socket("Strength", in_out="OUTPUT", socket_type="NodeSocketFloat")
    _wire(group)


def _wire(group):
    """The group's nodes; vectors are slopes with 1 as their z."""
    build = NodeBuilder(group)
    source = build.node("NodeGroupInput", 0)
    slopes = []
    for kind in NORMALS:
        normal = build.vector("MULTIPLY_ADD", 1, source.outputs[_SOCKETS[kind]], (2, 2, 2), (-1, -1, -1))
        parts = build.node("ShaderNodeSeparateXYZ", 2)
        group.links.new(normal, parts.inputs[0])
        least = build.math("MAXIMUM", 3, parts.outputs["Z"], LEAST_Z)
        slopes.append(build.vector("SCALE", 4, normal, scale=build.math("DIVIDE", 4, 1.0, least)))
    smoothing = source.outputs["Smoothing"]
    keeps_fine = build.math("MULTIPLY_ADD", 2, smoothing, -2.0, 1.0, clamp=True)
    keeps_medium = build.math("MULTIPLY_ADD", 2, smoothing, -2.0, 2.0, clamp=True)
    fine = build.math("MULTIPLY", 3, source.outputs["Fine"], keeps_fine)
    medium = build.math("MULTIPLY", 3, source.outputs["Medium"], keeps_medium)

    bands = [
        build.vector("SCALE", 6, build.vector("SUBTRACT", 5, slopes[0], slopes[1]), scale=fine),
        build.vector("SCALE", 6, build.vector("SUBTRACT", 5, slopes[1], slopes[2]), scale=medium),
        build.vector("SCALE", 6, slopes[2], scale=source.outputs["Coarse"]),
    ]
    total = build.vector("ADD", 7, build.vector("ADD", 7, bands[0], bands[1]), bands[2])

    # On the left of the split nothing is added to the mesh; a split of 0 is no split, also in a bake.
    place = build.node("ShaderNodeTexCoord", 2)
    across = build.node("ShaderNodeSeparateXYZ", 3)
    group.links.new(place.outputs["Window"], across.inputs[0])
    left = build.math("GREATER_THAN", 4, source.outputs["Split"], across.outputs["X"])
    split = build.math("GREATER_THAN", 4, source.outputs["Split"], 0.0)
    right = build.math("SUBTRACT", 6, 1.0, build.math("MULTIPLY", 5, left, split))
    strength = build.math("MULTIPLY", 7, source.outputs["Strength"], right)
    total = build.vector("SCALE", 8, total, scale=strength)
    flat = build.vector("MULTIPLY_ADD", 9, total, (1, 1, 0), (0, 0, 1))
    unit = build.vector("NORMALIZE", 10, flat)
    coded = build.vector("MULTIPLY_ADD", 11, unit, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    result = build.node("NodeGroupOutput", 12)
    group.links.new(coded, result.inputs["Color"])
    group.links.new(source.outputs["Strength"], result.inputs["Strength"])
