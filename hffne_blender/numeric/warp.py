# SPDX-License-Identifier: GPL-3.0-or-later
"""A smooth bending of space that takes given points to given places (thin-plate splines in 3D). No bpy here."""

import numpy as np


class Warp:
    """The smoothest displacement field, after Bookstein's thin plates: its kernel in 3D is |r|.

    at      (K, 3) points; moved (K, 3) where they go
    slack   (K,) or a number: 0 passes through the point exactly; larger values, in units of
            the points' spread, let the field stay smooth where points disagree
    """

    def __init__(self, at, moved, slack=0.0):
        at, moved = np.asarray(at, float), np.asarray(moved, float)
        self._middle = at.mean(0)
        self._size = max(np.sqrt(np.square(at - self._middle).sum(1).mean()), 1e-12)
        self._at = (at - self._middle) / self._size
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

    def __call__(self, points):
        """Points (N, 3) displaced."""
        result = np.empty_like(points, dtype=float)
        # |a - b| by the binomial: three times as fast as by differences, and exact enough here.
        for start in range(0, len(points), 4096):
            local = (points[start : start + 4096] - self._middle) / self._size
            distance = _distances(local, self._at)
            basis = np.concatenate([-distance, np.ones((len(local), 1)), local], axis=1)
            result[start : start + 4096] = points[start : start + 4096] + basis @ self._weights
        return result


def _distances(first, second):
    square = np.square(first).sum(1)[:, None] + np.square(second).sum(1)[None] - 2 * first @ second.T
    return np.sqrt(np.maximum(square, 0))


def _solve(system, right):
    try:
        return np.linalg.solve(system, right)
    except np.linalg.LinAlgError:
        # Points in one plane leave the bending across it open: take the least of all.
        return np.linalg.lstsq(system, right, rcond=None)[0]
