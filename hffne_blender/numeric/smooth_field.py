# SPDX-License-Identifier: GPL-3.0-or-later
"""A smooth displacement of space, given by a few points: how pins that correct a face's fit move all of it.

A Gaussian process with one wide and one narrow kernel: a point alone moves the part of the face around it; points close
to one another can differ. numpy only. This file stands twice, byte for byte the same: in the engine
(`hffne/geometry/smooth_field.py`) and in the Blender extension (`hffne_blender/numeric/smooth_field.py`), because
neither may import the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# The kernels' sigmas in meters, and their shares: an eye's corner, and a cheek or a jaw.
KERNELS = ((0.014, 0.2), (0.035, 0.8))
# A rigid part moves as the space before it: this share of its vertices, the foremost ones (-y).
FRONT = 0.3


@dataclass(frozen=True)
class SmoothField:
    """The displacement ``sum of kernel(point, center) * weight``.

    centers (K, 3) meters, object axes; weights (K, 3) meters
    """

    centers: np.ndarray
    weights: np.ndarray

    def at(self, points: np.ndarray) -> np.ndarray:
        """The displacements (..., 3) float32, meters, at points (..., 3)."""
        flat = np.asarray(points).reshape(-1, 3)
        return (kernel(flat, self.centers) @ self.weights.astype(np.float32)).reshape(np.shape(points))

    def of_parts(self, points: np.ndarray, rigid: Sequence[np.ndarray]) -> np.ndarray:
        """The displacements (V, 3) of vertices (V, 3); rigid: the indices of those that move together."""
        moved = self.at(points)
        for index, front in zip(rigid, fronts(points, rigid), strict=True):
            moved[index] = self.at(front)
        return moved


def kernel(points: np.ndarray, centers: np.ndarray, kernels: Sequence[tuple[float, float]] = KERNELS) -> np.ndarray:
    """The values (N, K) float32 of a sum of kernels between points (N, 3) and centers (K, 3): 1 where they meet."""
    a, b = (np.asarray(each, np.float32).reshape(-1, 3) for each in (points, centers))
    squared = np.zeros((len(a), len(b)), np.float32)
    for axis in range(3):
        squared += np.square(a[:, axis, None] - b[None, :, axis])
    return sum(np.float32(share) * np.exp(squared * np.float32(-0.5 / sigma**2)) for sigma, share in kernels)


def fronts(points: np.ndarray, rigid: Sequence[np.ndarray]) -> np.ndarray:
    """The points (R, 3) as which rigid parts of vertices (V, 3) move."""
    found = [points[index][points[index, 1] <= np.quantile(points[index, 1], FRONT)].mean(0) for index in rigid]
    return np.array(found, np.float32).reshape(-1, 3)
