# SPDX-License-Identifier: GPL-3.0-or-later
"""Similarity transforms (rotation, translation and one scale): from pairs of points, and onto a surface (ICP)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# points (K, 3) -> (nearest points (K, 3), their normals (K, 3), usable (K,) bool)
NearestPoints = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Similarity:
    """points (K, 3) -> scale * points @ rotation.T + offset."""

    scale: float
    rotation: np.ndarray
    offset: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Points (K, 3), transformed."""
        return self.scale * points @ self.rotation.T + self.offset

    def inverse(self, points: np.ndarray) -> np.ndarray:
        """Points (K, 3), transformed back."""
        return (points - self.offset) @ self.rotation / self.scale


def from_pairs(source: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> Similarity:
    """The least-squares Similarity of source (K, 3) onto target (K, 3), after Umeyama (1991)."""
    weight = np.ones(len(source)) if weight is None else np.asarray(weight, float)
    share = (weight / weight.sum())[:, None]
    source_center, target_center = (share * source).sum(0), (share * target).sum(0)
    a, b = source - source_center, target - target_center
    u, values, vt = np.linalg.svd((share * b).T @ a)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt)) or 1.0])
    rotation = (u * sign) @ vt
    scale = float((values * sign).sum() / max((share * a * a).sum(), 1e-30))
    return Similarity(scale, rotation, target_center - scale * rotation @ source_center)


def onto_surface(points: np.ndarray, nearest: NearestPoints, rounds: int = 40) -> np.ndarray:
    """Move points (K, 3) by a similarity onto a surface: the moved points (K, 3).

    nearest  finds the nearest points of the surface

    Robust: what lies far from the surface (hair, an open mouth) has little weight.
    """
    moved = points
    for _ in range(rounds):
        found, normals, usable = nearest(moved)
        if usable.sum() < 12:
            break
        distance = np.linalg.norm(found - moved, axis=1)
        typical = max(float(np.median(distance[usable])), 1e-12)
        weight = usable / (1 + np.square(distance / (2 * typical)))
        step = _point_to_plane_step(moved, normals, found, weight)
        after = step(moved)
        change = np.sqrt(np.square(after - moved).sum(1).mean())
        moved = after
        if change < 1e-6 * np.ptp(moved, axis=0).max():
            break
    return moved


def _point_to_plane_step(points: np.ndarray, normals: np.ndarray, found: np.ndarray, weight: np.ndarray) -> Similarity:
    """One Gauss-Newton step of point-to-plane ICP: a small Similarity about the points' center."""
    center = points.mean(0)
    local = points - center
    size = np.sqrt(np.square(local).sum(1).mean())
    local = local / size
    # Unknowns: rotation (3), translation (3), the logarithm of the scale (1).
    rows = np.concatenate([np.cross(local, normals), normals, np.einsum("kx,kx->k", local, normals)[:, None]], axis=1)
    gap = np.einsum("kx,kx->k", found - points, normals) / size
    a = (rows * weight[:, None]).T @ rows
    # A sphere rotates freely on itself: what the surface does not determine stays as it is.
    a += np.eye(7) * 1e-6 * np.trace(a)
    turn_x, turn_y, turn_z, *move, growth = np.linalg.solve(a, (rows * weight[:, None]).T @ gap)
    skew = np.array([[0, -turn_z, turn_y], [turn_z, 0, -turn_x], [-turn_y, turn_x, 0]])
    u, _, vt = np.linalg.svd(np.eye(3) + skew)
    rotation, scale = u @ vt, float(np.exp(np.clip(growth, -0.1, 0.1)))
    return Similarity(scale, rotation, center + np.array(move) * size - scale * rotation @ center)
