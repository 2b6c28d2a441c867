# SPDX-License-Identifier: GPL-3.0-or-later
"""Angular errors of normals, and the error of landmarks."""

from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass

import numpy as np
from numpy.typing import ArrayLike

SHARES = (20, 25, 30)


@dataclass(frozen=True)
class Angles:
    """Statistics of angular errors: mean and std in degrees; percent of pixels under 20, 25 and 30 degrees."""

    mean: float
    std: float
    under_20: float
    under_25: float
    under_30: float

    def as_dict(self) -> dict[str, float]:
        """The statistics as plain data."""
        return asdict(self)


def angles(ours: ArrayLike, ground_truth: ArrayLike) -> np.ndarray:
    """Angles in degrees (...) between unit normals (..., 3); the angle to a zero vector is 90 degrees."""
    dot = np.einsum("...i,...i->...", np.asarray(ours, np.float64), np.asarray(ground_truth, np.float64))
    return np.degrees(np.arccos(np.clip(dot, -1, 1)))


def summary(degrees: ArrayLike) -> Angles:
    """Statistics of all values of an array of angular errors. Raises ValueError for an empty array."""
    degrees = np.asarray(degrees, np.float64).ravel()
    if not len(degrees):
        raise ValueError("no pixels to compare")
    return Angles(float(degrees.mean()), float(degrees.std()), *(float((degrees < t).mean() * 100) for t in SHARES))


def average(summaries: Iterable[Angles]) -> Angles:
    """The mean of each statistic over several faces, as in the paper's tables."""
    return Angles(*(float(v) for v in np.mean([astuple(s) for s in summaries], axis=0)))


def landmark_error(ours: ArrayLike, ground_truth: ArrayLike) -> float:
    """Normalized mean error (NME) in percent of points (N, 2 or 3), of which x and y count.

    The mean distance over the square root of the area of the ground truth's bounding box.
    """
    ours = np.asarray(ours, np.float64)[:, :2]
    ground_truth = np.asarray(ground_truth, np.float64)[:, :2]
    width, height = np.ptp(ground_truth, axis=0)
    return float(np.linalg.norm(ours - ground_truth, axis=1).mean() / np.sqrt(width * height) * 100)
