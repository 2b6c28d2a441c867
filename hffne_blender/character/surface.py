# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh as arrays in world space: what fitting and carrying over need to know of it."""

from dataclasses import dataclass

import numpy as np
from mathutils.bvhtree import BVHTree


@dataclass(frozen=True)
class Surface:
    """Triangles in world space.

    points     (V, 3) float64
    triangles  (N, 3) int32 vertices, counter-clockwise seen from outside
    normals    (N, 3, 3) float64, the shading normals of the corners, unit, world space
    uvs        (N, 3, 2) float64 of the corners, or None where the mesh has no UV map
    """

    points: np.ndarray
    triangles: np.ndarray
    normals: np.ndarray
    uvs: np.ndarray

    def tree(self):
        """A BVHTree over the triangles; its indices are the triangles'."""
        return BVHTree.FromPolygons(self.points.tolist(), self.triangles.tolist(), all_triangles=True)

    def part(self, keep):
        """The Surface of the triangles that `keep` (N,) bool names."""
        used, triangles = np.unique(self.triangles[keep], return_inverse=True)
        uvs = None if self.uvs is None else self.uvs[keep]
        return Surface(self.points[used], triangles.reshape(-1, 3).astype(np.int32), self.normals[keep], uvs)

    def at(self, owners, weights):
        """Points (K, 3) at barycentric `weights` (K, 3) of the triangles `owners` (K,)."""
        return np.einsum("kc,kcx->kx", weights, self.points[self.triangles[owners]])


def of_mesh(mesh, matrix, uv_name=None):
    """The Surface of a bpy Mesh under a world matrix (anything that makes a 4 x 4 array)."""
    matrix = np.array(matrix, np.float64)
    points = _get(mesh.vertices, "co", 3)
    mesh.calc_loop_triangles()
    loops = _get(mesh.loop_triangles, "loops", 3, np.int32)
    triangles = _get(mesh.loop_triangles, "vertices", 3, np.int32)
    normals = corner_normals(mesh)[loops]
    normals = normals @ np.linalg.inv(matrix[:3, :3])
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-12)
    uvs = None
    if uv_name:
        uvs = _get(mesh.uv_layers[uv_name].uv, "vector", 2)[loops]
    if np.linalg.det(matrix[:3, :3]) < 0:
        # A mirrored object: its triangles seen from outside go the other way round.
        triangles, normals = triangles[:, ::-1], normals[:, ::-1]
        uvs = None if uvs is None else uvs[:, ::-1]
    return Surface(points @ matrix[:3, :3].T + matrix[:3, 3], np.ascontiguousarray(triangles), normals, uvs)


def corner_normals(mesh):
    """The shading normals of the loops (L, 3) float64, object space."""
    return _get(mesh.corner_normals, "vector", 3)


def barycentric(corners, points):
    """Weights (K, 3) of points (K, 3) in triangles (K, 3, 3); clipped to the triangle, sum 1."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    offset = points - corners[:, 0]
    aa, ab, bb = (np.einsum("kx,kx->k", x, y) for x, y in ((first, first), (first, second), (second, second)))
    pa, pb = np.einsum("kx,kx->k", offset, first), np.einsum("kx,kx->k", offset, second)
    area = np.maximum(aa * bb - ab * ab, 1e-30)
    weights = np.empty((len(points), 3))
    weights[:, 1] = (bb * pa - ab * pb) / area
    weights[:, 2] = (aa * pb - ab * pa) / area
    weights[:, 0] = 1 - weights[:, 1] - weights[:, 2]
    weights = np.clip(weights, 0, 1)
    return weights / weights.sum(axis=1, keepdims=True)


def _get(collection, name, width, dtype=np.float64):
    values = np.empty(len(collection) * width, np.float32 if dtype is np.float64 else dtype)
    collection.foreach_get(name, values)
    return values.reshape(-1, width).astype(dtype)
