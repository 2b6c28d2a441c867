# SPDX-License-Identifier: GPL-3.0-or-later
"""Angular errors of normals, and the error of landmarks."""

from dataclasses import asdict, dataclass

import numpy as np

SHARES = (20, 25, 30)


@dataclass(frozen=True)
class Angles:
    """Statistics of angular errors: mean and std in degrees; percent of pixels under 20, 25 and 30 degrees."""

    mean: float
    std: float
    under_20: float
    under_25: float
    under_30: float

    def as_dict(self):
        return asdict(self)


def angles(ours, truth):
    """Angles in degrees (...) between unit normals (..., 3); a zero vector counts as at right angles."""
    dot = np.einsum("...i,...i->...", np.asarray(ours, np.float64), np.asarray(truth, np.float64))
    return np.degrees(np.arccos(np.clip(dot, -1, 1)))


def summary(degrees):
    """Angles of all values of an array of angular errors, which must not be empty."""
    degrees = np.asarray(degrees, np.float64).ravel()
    if not len(degrees):
        raise ValueError("no pixels to compare")
    return Angles(float(degrees.mean()), float(degrees.std()), *(float((degrees < t).mean() * 100) for t in SHARES))


def average(summaries):
    """The mean of each figure over several faces, as the benchmark tables give it."""
    rows = [list(s.as_dict().values()) for s in summaries]
    return Angles(*(float(v) for v in np.mean(rows, axis=0)))


def landmark_error(ours, truth):
    """NME in percent: the mean distance of points (N, 2), over the root of the area of the truth's bounding box."""
    ours, truth = np.asarray(ours, np.float64)[:, :2], np.asarray(truth, np.float64)[:, :2]
    width, height = np.ptp(truth, axis=0)
    return float(np.linalg.norm(ours - truth, axis=1).mean() / np.sqrt(width * height) * 100)
