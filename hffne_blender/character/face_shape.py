# SPDX-License-Identifier: GPL-3.0-or-later
"""A shape key that moves the artist's mesh toward the face's own shape: its slider goes from the one to the other."""

import bpy
import numpy as np

from ..numeric import similarity
from ..numeric.detail_source import DetailSource
from ..numeric.warp import Warp
from ..numeric.world_surface import barycentric, farthest_points
from ..scene import mesh_arrays, shape_keys
from ..scene.access import mesh_of, read_array, write_array
from ..scene.temporary import Setting
from ..scene.triangle_tree import TriangleTree
from .errors import TransferError

NAME = "Face Shape"
# Points of the face whose change is known, between which it is smooth, and how smooth (see `warp.Warp`).
_CONTROLS, _SLACK = 400, 0.02
# Meters from the face's border over which the change begins.
_BORDER = 0.035


def key_of(target: bpy.types.Object) -> bpy.types.ShapeKey | None:
    """The shape key of an earlier call."""
    keys = mesh_of(target).shape_keys
    return keys.key_blocks.get(NAME) if keys is not None else None


def muted(target: bpy.types.Object) -> list[Setting]:
    """The change of settings (`scene.temporary`) without which the mesh has its own shape."""
    key = key_of(target)
    return [(key, "mute", True)] if key is not None else []


def vertex_points(target: bpy.types.Object, shown: bpy.types.Mesh) -> np.ndarray:
    """The vertices (V, 3), world space, of a mesh as it is posed now.

    shown  the mesh with its modifiers; where these change its vertices, the shape keys alone count
    """
    own = mesh_of(target)
    same = len(shown.vertices) == len(own.vertices)
    points = mesh_arrays.points(shown) if same else shape_keys.shown_points(own)
    return _world(target, points)


def own_points(target: bpy.types.Object) -> np.ndarray:
    """The vertices (V, 3), world space, of a mesh without keys, modifiers and pose."""
    keys = mesh_of(target).shape_keys
    owner = mesh_of(target).vertices if keys is None else keys.reference_key.points
    return _world(target, read_array(owner, "co", 3))


def change(
    source: DetailSource, fitted: np.ndarray, posed: np.ndarray, own: np.ndarray, matrix: np.ndarray
) -> np.ndarray:
    """How far (V, 3) the vertices move, object space, for the face's own shape in the mesh's place and size.

    fitted      (F, 3) where the face's vertices lie on the mesh
    posed, own  (V, 3) the mesh's vertices as it is posed now, and without a pose; matrix: its 4 x 4 world matrix
    """
    face = source.surface.points
    inner = np.flatnonzero(source.border_distance > 0)
    across = similarity.from_pairs(face[inner], fitted[inner])
    controls = inner[farthest_points(fitted[inner], _CONTROLS)]
    moved = Warp(fitted[controls], across(face[controls]), _SLACK)(posed) - posed
    triangles = source.surface.triangles
    hits = TriangleTree(fitted, triangles).nearest(posed)
    corners = triangles[np.maximum(hits.owner, 0)]
    weights = barycentric(fitted[corners], hits.point)
    distance = np.einsum("kc,kc->k", weights, source.border_distance[corners])
    share = np.clip(distance / _BORDER, 0, 1)
    moved *= (share * share * (3 - 2 * share))[:, None]
    touched = share > 0
    if touched.sum() > 3:
        # A bone that turns the head turns the change with it.
        moved = moved @ similarity.from_pairs(own[touched], posed[touched]).rotation
    return np.asarray(moved @ np.linalg.inv(np.asarray(matrix, float)[:3, :3]).T, np.float32)


def store(target: bpy.types.Object, moved: np.ndarray) -> bpy.types.ShapeKey:
    """Put the change on the mesh as a shape key at 1, in place of an earlier one. Raises TransferError."""
    mesh = mesh_of(target)
    if len(moved) != len(mesh.vertices):
        raise TransferError("no_target", f"'{target.name}' was changed meanwhile.", "Apply again.")
    if mesh.shape_keys is None:
        target.shape_key_add(name="Basis", from_mix=False)
    key = key_of(target) or target.shape_key_add(name=NAME, from_mix=False)
    assert mesh.shape_keys is not None
    basis = mesh.shape_keys.reference_key
    write_array(key.points, "co", read_array(basis.points, "co", 3) + moved)
    key.relative_key, key.mute, key.value = basis, False, 1.0
    mesh.update()
    return key


def _world(target: bpy.types.Object, points: np.ndarray) -> np.ndarray:
    matrix = np.array(target.matrix_world)
    return np.asarray(points.astype(float) @ matrix[:3, :3].T + matrix[:3, 3])
