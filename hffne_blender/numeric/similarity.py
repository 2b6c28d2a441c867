# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves, turns and one scale: from pairs of points, and onto a surface (ICP). No bpy here."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Similarity:
    """points -> scale * points @ rotation.T + offset."""

    scale: float
    rotation: np.ndarray
    offset: np.ndarray

    def __call__(self, points):
        return self.scale * points @ self.rotation.T + self.offset


def from_pairs(source, target, weight=None):
    """The least-squares Similarity of source (K, 3) onto target (K, 3), after Umeyama (1991)."""
    weight = np.ones(len(source)) if weight is None else np.asarray(weight, float)
    share = (weight / weight.sum())[:, None]
    middle, aim = (share * source).sum(0), (share * target).sum(0)
    a, b = source - middle, target - aim
    u, values, vt = np.linalg.svd((share * b).T @ a)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt)) or 1.0])
    rotation = (u * sign) @ vt
    scale = float((values * sign).sum() / max((share * a * a).sum(), 1e-30))
    return Similarity(scale, rotation, aim - scale * rotation @ middle)


def _step(points, normals, found, weight):
    """One Gauss-Newton step of point-to-plane ICP: a small Similarity about the points' middle."""
    middle = points.mean(0)
    local = points - middle
    size = np.sqrt(np.square(local).sum(1).mean())
    local = local / size
    # Unknowns: turn (3), move (3), growth (1).
    rows = np.concatenate([np.cross(local, normals), normals, np.einsum("kx,kx->k", local, normals)[:, None]], axis=1)
    gap = np.einsum("kx,kx->k", found - points, normals) / size
    a = (rows * weight[:, None]).T @ rows
    # A sphere turns freely on itself: what the surface does not tell stays as it is.
    a += np.eye(7) * 1e-6 * np.trace(a)
    turn_x, turn_y, turn_z, *move, growth = np.linalg.solve(a, (rows * weight[:, None]).T @ gap)
    skew = np.array([[0, -turn_z, turn_y], [turn_z, 0, -turn_x], [-turn_y, turn_x, 0]])
    u, _, vt = np.linalg.svd(np.eye(3) + skew)
    rotation, scale = u @ vt, float(np.exp(np.clip(growth, -0.1, 0.1)))
    return Similarity(scale, rotation, middle + np.array(move) * size - scale * rotation @ middle)


def onto_surface(points, nearest, rounds=40, typical=None):
    """Move points (K, 3) rigidly and with one scale onto a surface: the moved points (K, 3).

    nearest(points) -> (found (K, 3), normals (K, 3), usable (K,) bool). Robust: what lies
    far away beside the rest (hair, an open mouth) counts little.
    """
    moved = points
    for _ in range(rounds):
        found, normals, usable = nearest(moved)
        if usable.sum() < 12:
            break
        distance = np.linalg.norm(found - moved, axis=1)
        spread = max(float(np.median(distance[usable])), 1e-12)
        weight = usable / (1 + np.square(distance / (2 * spread)))
        step = _step(moved, normals, found, weight)
        after = step(moved)
        change = np.sqrt(np.square(after - moved).sum(1).mean())
        moved = after
        if change < 1e-6 * np.ptp(moved, axis=0).max():
            break
    return moved
