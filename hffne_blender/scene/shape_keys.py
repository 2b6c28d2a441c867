# SPDX-License-Identifier: GPL-3.0-or-later
"""A head's shape keys: the neutral basis, the photo's expression, and the keys of the face's movements."""

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from ..numeric.received_head import ReceivedHead
from .access import mesh_of, read_array, write_array

BASIS, PHOTO = "Basis", "Photo Expression"


def add(obj: bpy.types.Object, posed: np.ndarray, head: ReceivedHead) -> None:
    """Give an object, whose mesh is the neutral shape, the photo's expression (at 1) and the head's keys (at 0).

    posed  (V, 3) meters, the face as on the photo
    """
    obj.shape_key_add(name=BASIS, from_mix=False)
    _add_key(obj, PHOTO, posed).value = 1.0
    for name, vertices, deltas in head.keys:
        points = head.neutral.copy()
        points[vertices] += deltas
        # Blender gives a new key the value 0 or 1, which differs between versions.
        _add_key(obj, name, points).value = 0.0


def _add_key(obj: bpy.types.Object, name: str, points: np.ndarray) -> bpy.types.ShapeKey:
    key = obj.shape_key_add(name=name, from_mix=False)
    key.slider_min, key.slider_max = 0.0, 1.0
    # Many times as fast as the key's `data`.
    write_array(key.points, "co", points)
    return key


def photo_expression(obj: bpy.types.Object) -> bpy.types.ShapeKey | None:
    """The key of the photo's expression, or None for a mask, or where it was removed or renamed."""
    keys = mesh_of(obj).shape_keys
    return None if keys is None else keys.key_blocks.get(PHOTO)


def shown_points(mesh: bpy.types.Mesh) -> np.ndarray:
    """The vertices (V, 3) float32 as the shape keys move them now, object space; without modifiers.

    Raises ValueError for keys that do not fit the mesh.
    """
    keys = mesh.shape_keys
    if keys is None:
        return read_array(mesh.vertices, "co", 3)
    shapes = {key.name: read_array(key.points, "co", 3) for key in keys.key_blocks}
    if any(len(shape) != len(mesh.vertices) for shape in shapes.values()):
        raise ValueError(f"The shape keys of '{mesh.name}' have other vertices than the mesh")
    points = shapes[keys.reference_key.name].copy()
    for key in keys.key_blocks:
        if key.value and not key.mute and key != keys.reference_key:
            points += np.float32(key.value) * (shapes[key.name] - shapes[key.relative_key.name])
    return points


@contextmanager
def shown_mesh(obj: bpy.types.Object) -> Iterator[bpy.types.Mesh]:
    """The mesh of an object as its shape keys move it now, without modifiers, for the time of a `with`.

    The object's own mesh where it has no keys, else a temporary copy.
    """
    own = mesh_of(obj)
    if own.shape_keys is None:
        yield own
        return
    mesh = bpy.data.meshes.new_from_object(obj)
    try:
        write_array(mesh.vertices, "co", shown_points(own))
        mesh.update()
        yield mesh
    finally:
        bpy.data.meshes.remove(mesh)
