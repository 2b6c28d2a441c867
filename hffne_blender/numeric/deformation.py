# SPDX-License-Identifier: GPL-3.0-or-later
"""What the deformation of a mesh does to its tangents and its size."""

import numpy as np

from .vectors import unit


def deformed_tangents(tangents: np.ndarray, before: np.ndarray, after: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit tangents (V, 3) of vertices after a deformation of the triangles (N, 3) from `before` to `after` (V, 3)."""
    old, new = _edge_frames(before, triangles), _edge_frames(after, triangles)
    # In each triangle: edges before -> edges after, normal -> normal.
    bend = np.matmul(new, np.linalg.inv(old))
    area = np.linalg.norm(np.cross(old[..., 0], old[..., 1]), axis=1)
    total = np.zeros_like(tangents)
    for corner in range(3):
        moved = np.einsum("nxy,ny->nx", bend, tangents[triangles[:, corner]]) * area[:, None]
        for axis in range(3):
            total[:, axis] += np.bincount(triangles[:, corner], moved[:, axis], len(total))
    return unit(total)


def relative_size(before: np.ndarray, after: np.ndarray) -> float:
    """The size of points (V, 3) after a deformation relative to before; robust against a few displaced points."""
    sizes = [np.median(np.linalg.norm(points - np.median(points, axis=0), axis=1)) for points in (before, after)]
    return float(sizes[1] / sizes[0])


def _edge_frames(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(N, 3, 3): the columns are two edges and the unit normal."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    # A triangle without area gets some invertible frame; it has no weight.
    flat = length[:, 0] < 1e-20
    frame = np.stack([b - a, c - a, normal / np.maximum(length, 1e-20)], axis=2)
    frame[flat] = np.eye(3)
    return frame
