# SPDX-License-Identifier: GPL-3.0-or-later
"""The photo under a new light: a card with its pixels, shaded by their normals from the position of a movable empty.

No compositor and no script: the material reads the position of the empty at every pixel, so the picture follows the
mouse in every shading mode that shows materials, and a render is the same.
"""

from collections.abc import Mapping

import bpy
import numpy as np
from mathutils import Vector

from ..scene import camera
from ..scene.access import mesh_of, tree_of, write_array
from ..scene.nodes import (
    NodeBuilder,
    add_sliders,
    find_group,
    input_of,
    interface_of,
    new_material,
    output_of,
    shared_group,
)
from .place import collection_for, empty, mark, name_for, of_face, remove

KIND = "relight"
GROUP, TAG = "HFFNE Relight", "hffne_relight"
# Raised when the nodes change, see scene.detail_nodes.
VERSION = 1
KINDS = ("color", "albedo", "normal", "mask")
# name, description
COLOR = ("Light Color", "Color of the movable light")
# name, default, maximum, description
SLIDERS = (
    ("Ambient", 0.15, 2.0, "Light from all directions"),
    ("Strength", 1.0, 5.0, "Strength of the movable light"),
    ("Gloss", 0.08, 1.0, "Highlights of the movable light"),
    ("Surroundings", 0.15, 2.0, "Brightness of the photo beside the face"),
    ("Original", 0.0, 1.0, "Back to the photo as it was"),
)
# Of the card's corners, counter-clockwise from the lower left.
CARD_UVS = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
# Exponent of the highlights: about the width that skin has.
SHARPNESS = 24.0


def images_of(obj: bpy.types.Object) -> dict[str, bpy.types.Image] | None:
    """The images of a face for relighting its photo, by kind, or None when it was made without them."""
    found = {kind: obj.get(f"hffne_photo_{kind}") for kind in KINDS}
    complete = {kind: image for kind, image in found.items() if isinstance(image, bpy.types.Image)}
    return complete if len(complete) == len(KINDS) else None


def add(scene: bpy.types.Scene, obj: bpy.types.Object) -> tuple[bpy.types.Object, bpy.types.Object]:
    """Add a card with the photo of the face `obj` beside it, and its light; replaces those of an earlier call.

    Returns (card, light). Raises ValueError when the face was made without "Photo Relighting".
    """
    images = images_of(obj)
    if images is None:
        raise ValueError("This face was made without the map Photo Relighting.")
    remove(of_face(scene, obj, KIND), KIND)
    collection = collection_for(scene, obj)
    photo = camera.of_face(obj)
    side = photo["crop"]["size"] / photo["scale"]
    mesh = mark(bpy.data.meshes.new(f"{obj.name} Photo"), KIND)
    half = side / 2
    mesh.from_pydata([(-half, 0, -half), (half, 0, -half), (half, 0, half), (-half, 0, half)], [], [(0, 1, 2, 3)])
    write_array(mesh.uv_layers.new(name="UVMap").uv, "vector", CARD_UVS)
    card = mark(bpy.data.objects.new(f"{obj.name} Photo", mesh), KIND)
    collection.objects.link(card)
    # Upright and unscaled whatever the face's rotation and scale; from then on it moves with the face.
    card.parent, card.matrix_parent_inverse = obj, obj.matrix_world.inverted_safe()
    card.location = obj.matrix_world.translation + Vector((side, 0, 0))
    light = empty(
        collection, KIND, name_for(obj, "Photo Light"), card, Vector((-0.6, -0.6, 0.4)) * side, 0.08 * side, "SPHERE"
    )
    # Only its position matters; rotation or scale would distort the light's direction.
    light.lock_rotation = light.lock_scale = (True, True, True)
    mesh.materials.append(_material(f"{obj.name} Relit", images, light))
    return card, light


def find_node(card: bpy.types.Object | None) -> bpy.types.ShaderNodeGroup | None:
    """The node with the sliders of a card, or None."""
    if card is None or card.type != "MESH":
        return None
    nodes = (find_group(material, TAG) for material in mesh_of(card).materials)
    return next((node for node in nodes if node is not None), None)


def _material(name: str, images: Mapping[str, bpy.types.Image], light: bpy.types.Object) -> bpy.types.Material:
    material = mark(new_material(name), KIND)
    tree = tree_of(material)
    tree.nodes.clear()
    build = NodeBuilder(tree)
    read = {}
    for kind in KINDS:
        node = read[kind] = build.node(bpy.types.ShaderNodeTexImage, 0)
        node.image, node.extension = images[kind], "EXTEND"
        # There may be fewer pixels than the card shows: a face at arm's length is small on a photo.
        node.interpolation = "Cubic"
    position = build.node(bpy.types.ShaderNodeTexCoord, 0)
    position.object = light
    group = build.node(bpy.types.ShaderNodeGroup, 2)
    shared = shared_group(GROUP, TAG, VERSION, _make)
    assert isinstance(shared, bpy.types.ShaderNodeTree)
    group.node_tree = shared
    for kind in KINDS:
        tree.links.new(output_of(read[kind], "Color"), input_of(group, kind.title()))
    tree.links.new(output_of(position, "Object"), input_of(group, "From Light"))
    emission = build.node(bpy.types.ShaderNodeEmission, 3)
    tree.links.new(output_of(group, "Color"), input_of(emission, "Color"))
    output = build.node(bpy.types.ShaderNodeOutputMaterial, 4)
    tree.links.new(output_of(emission, "Emission"), input_of(output, "Surface"))
    tree.nodes.active = read["color"]
    return material


def _make(group: bpy.types.NodeTree) -> None:
    interface = interface_of(group)
    for kind in KINDS:
        interface.new_socket(kind.title(), in_out="INPUT", socket_type="NodeSocketColor")
    interface.new_socket("From Light", in_out="INPUT", socket_type="NodeSocketVector")
    tint = interface.new_socket(COLOR[0], in_out="INPUT", socket_type="NodeSocketColor")
    tint.default_value = (1, 1, 1, 1)
    add_sliders(group, SLIDERS)
    _build(group)


def _build(group: bpy.types.NodeTree) -> None:
    """albedo * (ambient + strength * max(0, n . l) * tint) + gloss * (n . h)^s, on the card's axes."""
    build = NodeBuilder(group)
    given = build.node(bpy.types.NodeGroupInput, 0).outputs
    # The camera's x, y, z (right, up, toward the viewer) are the card's x, z and -y.
    decoded = build.vector("MULTIPLY_ADD", 1, given["Normal"], (2, 2, 2), (-1, -1, -1))
    parts = build.node(bpy.types.ShaderNodeSeparateXYZ, 2)
    group.links.new(decoded, input_of(parts, 0))
    card = build.node(bpy.types.ShaderNodeCombineXYZ, 3)
    group.links.new(output_of(parts, "X"), input_of(card, "X"))
    group.links.new(build.math("MULTIPLY", 3, output_of(parts, "Z"), -1.0), input_of(card, "Y"))
    group.links.new(output_of(parts, "Y"), input_of(card, "Z"))
    normal = build.vector("NORMALIZE", 4, output_of(card, 0))
    toward = build.vector("NORMALIZE", 2, build.vector("MULTIPLY", 1, given["From Light"], (-1, -1, -1)))

    lit = build.math("MAXIMUM", 6, build.dot(5, normal, toward), 0.0)
    half = build.vector("NORMALIZE", 5, build.vector("ADD", 4, toward, (0, -1, 0)))
    shine = build.math("POWER", 7, build.math("MAXIMUM", 6, build.dot(5, normal, half), 0.0), SHARPNESS)
    key = build.math("MULTIPLY", 7, lit, given["Strength"])
    gloss = build.math("MULTIPLY", 8, build.math("MULTIPLY", 8, shine, given["Gloss"]), key)

    tinted = build.vector("SCALE", 8, given["Light Color"], scale=key)
    ambient = build.node(bpy.types.ShaderNodeCombineXYZ, 7)
    for axis in "XYZ":
        group.links.new(given["Ambient"], input_of(ambient, axis))
    light = build.vector("ADD", 9, tinted, output_of(ambient, 0))
    skin = build.vector("MULTIPLY", 10, given["Albedo"], light)
    skin = build.vector("ADD", 11, skin, build.vector("SCALE", 10, given["Light Color"], scale=gloss))
    beside = build.vector("SCALE", 11, given["Color"], scale=given["Surroundings"])
    relit = build.mix(12, given["Mask"], beside, skin)
    result = build.mix(13, given["Original"], relit, given["Color"])
    group.links.new(result, build.node(bpy.types.NodeGroupOutput, 15).inputs["Color"])
