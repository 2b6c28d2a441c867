# SPDX-License-Identifier: GPL-3.0-or-later
"""A smooth deformation of space that takes given points to given positions (thin-plate splines in 3D)."""

import numpy as np
from numpy.typing import ArrayLike

# Points transformed at once, which bounds the memory.
_CHUNK = 4096


class Warp:
    """The smoothest displacement field, after Bookstein's thin plates: its kernel in 3D is |r|.

    at     (K, 3) points
    moved  (K, 3) where they go
    slack  (K,) or a number: 0 passes through the point exactly; larger values, in units of
           the points' extent, let the field stay smooth where points disagree
    """

    def __init__(self, at: ArrayLike, moved: ArrayLike, slack: ArrayLike = 0.0):
        at, moved = np.asarray(at, float), np.asarray(moved, float)
        self._center = at.mean(0)
        self._size = max(np.sqrt(np.square(at - self._center).sum(1).mean()), 1e-12)
        self._at = (at - self._center) / self._size
        count = len(at)
        distance = _distances(self._at, self._at)
        affine = np.concatenate([np.ones((count, 1)), self._at], axis=1)
        system = np.zeros((count + 4, count + 4))
        # The kernel is conditionally negative definite, hence the sign of the slack.
        system[:count, :count] = -distance + np.diag(np.broadcast_to(slack, count) + 1e-9)
        system[:count, count:], system[count:, :count] = affine, affine.T
        right = np.zeros((count + 4, 3))
        right[:count] = moved - at
        self._weights = _solve(system, right)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """The positions (N, 3) to which points (N, 3) move."""
        result = np.empty_like(points, dtype=float)
        for start in range(0, len(points), _CHUNK):
            local = (points[start : start + _CHUNK] - self._center) / self._size
            distance = _distances(local, self._at)
            basis = np.concatenate([-distance, np.ones((len(local), 1)), local], axis=1)
            result[start : start + _CHUNK] = points[start : start + _CHUNK] + basis @ self._weights
        return result


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    # |a - b| from the expanded square: three times as fast as from differences, and exact enough here.
    square = np.square(first).sum(1)[:, None] + np.square(second).sum(1)[None] - 2 * first @ second.T
    return np.sqrt(np.maximum(square, 0))


def _solve(system: np.ndarray, right: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(system, right)
    except np.linalg.LinAlgError:
        # Points in one plane do not determine the bending across it: take the smallest solution.
        return np.linalg.lstsq(system, right, rcond=None)[0]
