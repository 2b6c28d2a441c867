# SPDX-License-Identifier: GPL-3.0-or-later
"""The position of a face, and the collections and marks of the objects that are put around it."""

import re
from collections.abc import Iterable
from typing import Literal, TypeVar

import bpy
from mathutils import Vector

from ..scene import detail_nodes, face_attributes

# Custom property of a collection, an object or its data: the kind for which it was added. Only what carries it is ever
# removed.
MARK = "hffne_studio"
# The mark of the collections, and their custom property: the number of the face, or the name of one without a number.
COLLECTION, FACE = "collection", "hffne_face"
# Bytes of a name in every supported Blender, less those that it adds to a name that is taken.
_NAME_BYTES = 63 - 4

BlockT = TypeVar("BlockT", bound=bpy.types.ID)


def bounding_sphere(obj: bpy.types.Object) -> tuple[Vector, float]:
    """(center, radius) of an object's bounding box in its own space: its center and half its longest side."""
    corners = [Vector(corner) for corner in obj.bound_box]
    low = Vector([min(corner[axis] for corner in corners) for axis in range(3)])
    high = Vector([max(corner[axis] for corner in corners) for axis in range(3)])
    size = high - low
    return (low + high) / 2, max(size.x, size.y, size.z) / 2


def collection_for(scene: bpy.types.Scene, obj: bpy.types.Object) -> bpy.types.Collection:
    """The scene's collection for what is put around the face `obj`; a new one where there is none."""
    face = face_attributes.number_of(obj) or obj.name
    for known in scene.collection.children_recursive:
        if known.get(MARK) == COLLECTION and known.get(FACE) == face and known.library is None:
            return known
    added = mark(bpy.data.collections.new(name_for(obj, "Lights and Cameras")), COLLECTION)
    added[FACE] = face
    scene.collection.children.link(added)
    return added


def name_for(obj: bpy.types.Object, what: str) -> str:
    """The name of something around the face `obj`, such as "Ada Key": the face's, as far as it fits, and `what`."""
    room = _NAME_BYTES - 1 - len(what.encode())
    return f"{obj.name.encode()[:room].decode(errors='ignore')} {what}"


def mark(block: BlockT, kind: str) -> BlockT:
    """Mark a data-block as one that is removed when another of its kind replaces it. Returns the block."""
    block[MARK] = kind
    return block


def of_face(scene: bpy.types.Scene, obj: bpy.types.Object, kind: str) -> list[bpy.types.Object]:
    """The objects of a kind that were put around the face `obj` and are in the scene."""
    return [child for child in _marked_children(obj, kind) if scene.objects.get(child.name) == child]


def face_at(obj: bpy.types.Object | None) -> bpy.types.Object | None:
    """The face that an object (or None) is, or that it was put around as a light, camera or card; None otherwise."""
    while obj is not None and not detail_nodes.has_sliders(obj):
        obj = obj.parent if obj.get(MARK) is not None else None
    return obj


def _marked_children(parent: bpy.types.Object, kind: str) -> list[bpy.types.Object]:
    """The marked children of an object; a copy beside its original ("Key.001") is the artist's and is left out."""
    first: dict[str, bpy.types.Object] = {}
    for child in sorted(parent.children, key=lambda child: child.name):
        if child.get(MARK) == kind:
            first.setdefault(re.sub(r"\.\d+$", "", child.name), child)
    return list(first.values())


def remove(roots: Iterable[bpy.types.Object], kind: str) -> None:
    """Remove marked objects with their marked children; other children, which an artist added, keep their position."""
    doomed, waiting = set(), list(roots)
    while waiting:
        obj = waiting.pop()
        doomed.add(obj)
        ours = _marked_children(obj, kind)
        waiting += ours
        for other in set(obj.children).difference(ours):
            position = other.matrix_world.copy()
            other.parent = None
            other.matrix_world = position
    data = {obj.data for obj in doomed if obj.data is not None and obj.data.get(MARK) == kind}
    materials = {slot.material for obj in doomed for slot in obj.material_slots if slot.material is not None}
    bpy.data.batch_remove(list(doomed))
    for blocks in (data, {material for material in materials if material.get(MARK) == kind}):
        bpy.data.batch_remove([block for block in blocks if block.users == 0])


def empty(
    collection: bpy.types.Collection,
    kind: str,
    name: str,
    parent: bpy.types.Object,
    location: Vector,
    size: float = 0.02,
    shape: Literal["PLAIN_AXES", "CIRCLE", "SPHERE"] = "PLAIN_AXES",
) -> bpy.types.Object:
    """A new Empty of a kind, a child of `parent` at a location in its space."""
    added = mark(bpy.data.objects.new(name, None), kind)
    added.empty_display_type, added.empty_display_size = shape, size
    added.parent, added.location = parent, location
    collection.objects.link(added)
    return added


def drive(obj: bpy.types.Object, path: str, index: int, expression: str) -> None:
    """Let a property follow the frame, by an expression that Blender runs without permission to run scripts."""
    curve = obj.driver_add(path, index)
    assert isinstance(curve, bpy.types.FCurve) and curve.driver is not None
    curve.driver.type, curve.driver.expression = "SCRIPTED", expression
