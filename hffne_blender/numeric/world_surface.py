# SPDX-License-Identifier: GPL-3.0-or-later
"""A triangle mesh in world space as arrays, and positions on it."""

from dataclasses import dataclass

import numpy as np

from .vectors import unit


@dataclass(frozen=True)
class WorldSurface:
    """Triangles in world space.

    points     (V, 3) float64
    triangles  (N, 3) int32 vertices, counter-clockwise seen from outside
    normals    (N, 3, 3) float64, the shading normals of the corners, unit, world space
    uvs        (N, 3, 2) float64 of the corners, or None where the mesh has no UV map
    """

    points: np.ndarray
    triangles: np.ndarray
    normals: np.ndarray
    uvs: np.ndarray | None = None

    def select(self, keep: np.ndarray) -> "WorldSurface":
        """The surface of the triangles for which `keep` (N,) bool is true, without unused points."""
        used, triangles = np.unique(self.triangles[keep], return_inverse=True)
        uvs = None if self.uvs is None else self.uvs[keep]
        return WorldSurface(self.points[used], triangles.reshape(-1, 3).astype(np.int32), self.normals[keep], uvs)

    def at(self, owners: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Points (K, 3) at barycentric `weights` (K, 3) of the triangles `owners` (K,)."""
        return np.einsum("kc,kcx->kx", weights, self.points[self.triangles[owners]])


def barycentric(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Barycentric weights (K, 3) of points (K, 3) in triangles (K, 3, 3); clipped to the triangle, sum 1."""
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


def locate_uvs(corner_uvs: np.ndarray, uvs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find UV positions in a UV layout.

    corner_uvs  (N, 3, 2) of the triangles' corners
    uvs         (K, 2) the positions to find

    Returns (triangles (K,), barycentric weights (K, 3)); the nearest triangle where none contains the position.
    """
    first, second = corner_uvs[:, 1] - corner_uvs[:, 0], corner_uvs[:, 2] - corner_uvs[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    area = np.where(np.abs(area) < 1e-14, 1e-14, area)
    owners, weights = [], []
    for point in uvs:
        offset = point - corner_uvs[:, 0]
        b = (offset[:, 0] * second[:, 1] - offset[:, 1] * second[:, 0]) / area
        c = (offset[:, 1] * first[:, 0] - offset[:, 0] * first[:, 1]) / area
        candidates = np.stack([1 - b - c, b, c], axis=1)
        best = int(np.argmax(candidates.min(axis=1)))
        clipped = np.clip(candidates[best], 0, 1)
        owners.append(best)
        weights.append(clipped / clipped.sum())
    return np.array(owners), np.array(weights)


def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3) of vertices, weighted by the area of the triangles around them."""
    corners = points[triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(points)
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(triangles[:, corner], normal[:, axis], len(points))
    return unit(total, 1e-20)


def farthest_points(points: np.ndarray, count: int) -> np.ndarray:
    """Indices of `count` points far from one another (farthest point sampling), the same each time."""
    if len(points) <= count:
        return np.arange(len(points))
    chosen = np.empty(count, int)
    chosen[0] = np.argmax(np.linalg.norm(points - points.mean(0), axis=1))
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    for index in range(1, count):
        chosen[index] = np.argmax(distance)
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[index]], axis=1))
    return chosen
