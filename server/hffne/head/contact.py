# SPDX-License-Identifier: GPL-3.0-or-later
"""Smooth corrections of a surface from the displacements wanted at some of its vertices."""

import numpy as np

# Influence of the anchors that counts as none: it makes the correction fade instead of ending in a step.
_LEAST = 0.35


def spread(points: np.ndarray, anchors: np.ndarray, displacement: np.ndarray, reach: float) -> np.ndarray:
    """Displacements (N, 3) of points (N, 3) from those wanted at anchors (A, 3): displacement (A, 3).

    A mean of the anchors' displacements with Gaussian weights of sigma `reach` (meters), which fades to 0 beside them.
    """
    distance = np.square(points).sum(1)[:, None] - 2 * points @ anchors.T + np.square(anchors).sum(1)
    weight = np.exp(-np.maximum(distance, 0) / (2 * reach * reach))
    nearest = weight.max(1, keepdims=True)
    total = weight.sum(1, keepdims=True)
    # Beside the anchors the mean stays that of the nearest ones, and its share falls with their distance.
    share = nearest / (nearest + _LEAST) * (1 + _LEAST)
    return weight @ displacement / np.maximum(total, 1e-12) * share


def near(points: np.ndarray, anchors: np.ndarray, distance: float) -> np.ndarray:
    """Which of points (N, 3) lie within `distance` of any of anchors (A, 3): (N,) bool."""
    low, high = anchors.min(0) - distance, anchors.max(0) + distance
    inside = ((points >= low) & (points <= high)).all(1)
    result = np.zeros(len(points), bool)
    candidates = np.flatnonzero(inside)
    squared = np.square(points[candidates][:, None] - anchors[None]).sum(2).min(1)
    result[candidates] = squared <= distance * distance
    return result
