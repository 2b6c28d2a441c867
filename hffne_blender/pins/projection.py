# SPDX-License-Identifier: GPL-3.0-or-later
"""The maps of a face projected anew on its corrected shape: the request to the engine, and what is taken of its answer.

The images are replaced wherever they are used; materials, sliders and modifiers stay. A face that still has the
engine's own shape takes the shape of the answer too, whose lids and lips touch again; a sculpted one keeps its own.
"""

from functools import partial
from typing import Any

import bpy
import numpy as np

from ..character.errors import TransferError
from ..character.steps import StepGenerator
from ..engine.client import Answer
from ..numeric.received_face import ReceivedFace
from ..scene import built_shape, face, face_attributes, head, photo_source, removal, textures
from ..scene.access import mesh_of, read_array, tree_of, write_array
from ..scene.nodes import input_value, set_input
from . import stored
from .pinned_face import PinnedFace

_PHOTO = "hffne_photo_"


def request(obj: bpy.types.Object) -> dict[str, Any]:
    """The request for the face with its correction. Raises TransferError where its photo is not known."""
    known = photo_source.request_of(obj)
    if known is None:
        raise TransferError(
            "no_photo", f"The photo of '{obj.name}' is not known or not there.", "Generate the face again."
        )
    pinned = PinnedFace(obj)
    field = pinned.field(pinned.pins)
    correction = np.concatenate([field.centers, field.weights], axis=1).astype(float)
    return {**known, "correction": correction.ravel().tolist()} if len(correction) else known


def take(context: bpy.types.Context, name: str, answer: Answer, pins: str) -> StepGenerator[None]:
    """Give the face `name` the maps of an answer to `request`, made for pins (the property's text).

    Where the pins have changed since, nothing is done. Raises ReceivedFaceError or TransferError.
    """
    yield "Building the maps"
    received = yield partial(ReceivedFace.from_answer, *answer)
    scene = context.scene
    assert scene is not None
    fresh = yield from face.build_steps(received, lambda: scene.collection)
    try:
        obj = bpy.data.objects.get(name)
        if obj is None or obj.get(stored.PROPERTY, "[]") != pins:
            return
        if head.is_head(obj) != head.is_head(fresh):
            raise TransferError(
                "no_head", "The engine could not build a head with these pins.", "Remove the pin that you moved last."
            )
        _take_images(obj, fresh)
        if len(mesh_of(obj).vertices) == len(mesh_of(fresh).vertices):
            _take_confidence(obj, fresh)
            if built_shape.is_engines(obj):
                _take_shape(obj, fresh)
        stored.set_projected(obj, pins)
    finally:
        removal.remove(fresh)


def _take_images(obj: bpy.types.Object, fresh: bpy.types.Object) -> None:
    for own, other in zip(mesh_of(obj).materials, mesh_of(fresh).materials, strict=False):
        if own is None or other is None or own.node_tree is None:
            continue
        made = textures.of_material(other)
        for kind, image in textures.of_material(own).items():
            if kind in made and made[kind] != image:
                _replace(image, made[kind])
        _take_relief_scale(own, other)
    for key in [key for key in obj.keys() if key.startswith(_PHOTO) or key == face_attributes.NORMAL]:
        old, new = obj[key], fresh.get(key)
        if isinstance(new, bpy.types.Image) and old != new:
            if isinstance(old, bpy.types.Image):
                _replace(old, new)
            obj[key] = new


def _replace(old: bpy.types.Image, new: bpy.types.Image) -> None:
    name = old.name
    old.user_remap(new)
    bpy.data.images.remove(old)
    new.name = name


def _take_relief_scale(own: bpy.types.Material, other: bpy.types.Material) -> None:
    """The range of the height map, a number in a node that both materials have by the same label."""
    for node in tree_of(other).nodes:
        if isinstance(node, bpy.types.ShaderNodeMath) and node.label:
            twin = next((each for each in tree_of(own).nodes if each.label == node.label), None)
            if isinstance(twin, bpy.types.ShaderNodeMath):
                set_input(twin, 1, input_value(node, 1))


def _take_confidence(obj: bpy.types.Object, fresh: bpy.types.Object) -> None:
    own, other = (mesh_of(each).attributes.get(face_attributes.CONFIDENCE) for each in (obj, fresh))
    if isinstance(own, bpy.types.FloatAttribute) and isinstance(other, bpy.types.FloatAttribute):
        write_array(own.data, "value", read_array(other.data, "value", 1))


def _take_shape(obj: bpy.types.Object, fresh: bpy.types.Object) -> None:
    own, other = mesh_of(obj), mesh_of(fresh)
    shapes: list[tuple[Any, Any]] = [(own.vertices, other.vertices)]
    if own.shape_keys is not None and other.shape_keys is not None:
        made = {key.name: key for key in other.shape_keys.key_blocks}
        change = built_shape.points(fresh) - built_shape.points(obj)
        for key in own.shape_keys.key_blocks:
            if key.name in made:
                shapes.append((key.points, made[key.name].points))
            else:
                # A key of the artist's own.
                write_array(key.points, "co", read_array(key.points, "co", 3) + change)
    for to, source in shapes:
        write_array(to, "co", read_array(source, "co", 3))
    own.update()
    built_shape.store(obj)
