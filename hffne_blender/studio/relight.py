# SPDX-License-Identifier: GPL-3.0-or-later
"""The photo lit anew: a card with its pixels, shaded by their normals from where an empty is dragged to.

No compositor and no script: the material asks where the empty is at every pixel, so the picture follows the
mouse in every shading mode that shows materials, and a render is the same.
"""

import bpy

from ..scene import camera
from ..scene.nodes import NodeBuilder, add_sliders, find_group, new_material, shared_group
from .place import collection_for, empty, marked, of_face, remove

COLLECTION, KIND = "HFFNE Relight", "relight"
GROUP, TAG = "HFFNE Relight", "hffne_relight"
VERSION = 1
KINDS = ("color", "albedo", "normal", "mask")
# name, description
COLOR = ("Light Color", "Of the dragged light")
# name, default, most, description
SLIDERS = (
    ("Ambient", 0.15, 2.0, "Light from all around"),
    ("Strength", 1.0, 5.0, "The dragged light"),
    ("Gloss", 0.08, 1.0, "Highlights of the dragged light"),
    ("Surroundings", 0.15, 2.0, "How bright the photo is beside the face"),
    ("Original", 0.0, 1.0, "Back to the photo as it was"),
)
# Exponent of the highlights: about the width that skin has.
SHARPNESS = 24.0


def images_of(obj):
    """The images of a face for lighting its photo anew, by kind, or None when it was made without."""
    found = {kind: obj.get(f"hffne_photo_{kind}") for kind in KINDS}
    return found if all(isinstance(image, bpy.types.Image) for image in found.values()) else None


def add(scene, obj):
    """A card with the photo of the face `obj` beside it, and its light; replaces its own of an earlier call.

    Returns (card, light). Raises ValueError when the face was made without "Photo Relighting".
    """
    made = images_of(obj)
    if made is None:
        raise ValueError("This face was made without the map Photo Relighting.")
    remove(of_face(scene, obj, KIND), KIND)
    collection = collection_for(scene, KIND, COLLECTION)
    seen = camera.load(obj)
    side = seen["crop"]["size"] / seen["scale"]
    mesh = marked(bpy.data.meshes.new(f"{obj.name} Photo"), KIND)
    half = side / 2
    mesh.from_pydata([(-half, 0, -half), (half, 0, -half), (half, 0, half), (-half, 0, half)], [], [(0, 1, 2, 3)])
    layer = mesh.uv_layers.new(name="UVMap")
    layer.uv.foreach_set("vector", [0, 0, 1, 0, 1, 1, 0, 1])
    card = marked(bpy.data.objects.new(f"{obj.name} Photo", mesh), KIND)
    collection.objects.link(card)
    # Upright at its own size wherever the face is turned, and from then on with it.
    card.parent, card.matrix_parent_inverse = obj, obj.matrix_world.inverted_safe()
    card.location = obj.matrix_world.translation
    card.location.x += side
    light = empty(collection, "Drag Me", card, (-0.6 * side, -0.6 * side, 0.4 * side), 0.08 * side, "SPHERE")
    # Its place is what counts; turned or scaled it would bend the light.
    light.lock_rotation = light.lock_scale = (True, True, True)
    mesh.materials.append(_material(f"{obj.name} Relit", made, light))
    return card, light


def find_node(card):
    """The node with the sliders of a card, or None."""
    materials = card.data.materials if card is not None and card.type == "MESH" else ()
    return next((node for node in (find_group(material, TAG) for material in materials) if node is not None), None)


def _material(name, made, light):
    material = marked(new_material(name), KIND)
    tree = material.node_tree
    tree.nodes.clear()
    build = NodeBuilder(tree)
    read = {}
    for kind in KINDS:
        node = read[kind] = build.node("ShaderNodeTexImage", 0)
        node.image, node.extension = made[kind], "EXTEND"
        # There may be fewer pixels than the card shows: a face at arm's length is small on a photo.
        node.interpolation = "Cubic"
    place = build.node("ShaderNodeTexCoord", 0)
    place.object = light
    group = build.node("ShaderNodeGroup", 2)
    group.node_tree = shared_group(GROUP, TAG, VERSION, _make)
    for kind in KINDS:
        tree.links.new(read[kind].outputs["Color"], group.inputs[kind.title()])
    tree.links.new(place.outputs["Object"], group.inputs["From Light"])
    glow = build.node("ShaderNodeEmission", 3)
    tree.links.new(group.outputs["Color"], glow.inputs["Color"])
    tree.links.new(glow.outputs["Emission"], build.node("ShaderNodeOutputMaterial", 4).inputs["Surface"])
    tree.nodes.active = read["color"]
    return material


def _make(group):
    face = group.interface
    for kind in KINDS:
        face.new_socket(kind.title(), in_out="INPUT", socket_type="NodeSocketColor")
    face.new_socket("From Light", in_out="INPUT", socket_type="NodeSocketVector")
    tint = face.new_socket(COLOR[0], in_out="INPUT", socket_type="NodeSocketColor")
    tint.default_value = (1, 1, 1, 1)
    add_sliders(group, SLIDERS)
    _wire(group)


def _wire(group):
    """albedo * (ambient + strength * max(0, n . l) * tint) + gloss * (n . h)^s, on the card's axes."""
    build = NodeBuilder(group)
    given = build.node("NodeGroupInput", 0).outputs
    # The camera's x, y, z (right, up, to the viewer) are the card's x, z and -y.
    code = build.vector("MULTIPLY_ADD", 1, given["Normal"], (2, 2, 2), (-1, -1, -1))
    parts = build.node("ShaderNodeSeparateXYZ", 2)
    group.links.new(code, parts.inputs[0])
    card = build.node("ShaderNodeCombineXYZ", 3)
    group.links.new(parts.outputs["X"], card.inputs["X"])
    group.links.new(build.math("MULTIPLY", 3, parts.outputs["Z"], -1.0), card.inputs["Y"])
    group.links.new(parts.outputs["Y"], card.inputs["Z"])
    normal = build.vector("NORMALIZE", 4, card.outputs[0])
    toward = build.vector("NORMALIZE", 2, build.vector("MULTIPLY", 1, given["From Light"], (-1, -1, -1)))

    lit = build.math("MAXIMUM", 6, build.dot(5, normal, toward), 0.0)
    half = build.vector("NORMALIZE", 5, build.vector("ADD", 4, toward, (0, -1, 0)))
    shine = build.math("POWER", 7, build.math("MAXIMUM", 6, build.dot(5, normal, half), 0.0), SHARPNESS)
    key = build.math("MULTIPLY", 7, lit, given["Strength"])
    gloss = build.math("MULTIPLY", 8, build.math("MULTIPLY", 8, shine, given["Gloss"]), key)

    tinted = build.vector("SCALE", 8, given["Light Color"], scale=key)
    ambient = build.node("ShaderNodeCombineXYZ", 7)
    for axis in "XYZ":
        group.links.new(given["Ambient"], ambient.inputs[axis])
    light = build.vector("ADD", 9, tinted, ambient.outputs[0])
    skin = build.vector("MULTIPLY", 10, given["Albedo"], light)
    skin = build.vector("ADD", 11, skin, build.vector("SCALE", 10, given["Light Color"], scale=gloss))
    beside = build.vector("SCALE", 11, given["Color"], scale=given["Surroundings"])
    relit = build.between(12, given["Mask"], beside, skin)
    result = build.between(13, given["Original"], relit, given["Color"])
    group.links.new(result, build.node("NodeGroupOutput", 15).inputs["Color"])
