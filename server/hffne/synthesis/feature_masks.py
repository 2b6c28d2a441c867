# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a picture shows lids and lips, by the 68 iBUG points."""

import cv2
import numpy as np

REACH = 0.12  # how far round the lids' and lips' edges, in distances of the eyes
_EYES, _LIPS = (slice(36, 42), slice(42, 48)), (slice(48, 60),)


def round_eyes(points: np.ndarray, size: int, reach: float = REACH) -> np.ndarray:
    """(S, S) float32: 1 on the eyes and as far as `reach` from the lids' edges, else 0. points (68, 2): pixels."""
    return _near(points, size, _EYES, reach)


def round_mouth(points: np.ndarray, size: int, reach: float = REACH) -> np.ndarray:
    """(S, S) float32: 1 on the mouth and up to `reach` from the lips' outer edge, else 0. points (68, 2): pixels."""
    return _near(points, size, _LIPS, reach)


def eye_distance(points: np.ndarray) -> float:
    """Between the middles of both eyes, in the unit of the points (68, 2 or 3)."""
    return float(np.linalg.norm(points[_EYES[0]].mean(0) - points[_EYES[1]].mean(0)))


def _near(points: np.ndarray, size: int, outlines: tuple[slice, ...], reach: float) -> np.ndarray:
    apart = np.ones((size, size), np.uint8)
    points = np.clip(np.nan_to_num(points[:, :2]), -4 * size, 5 * size)
    for outline in outlines:
        cv2.fillPoly(apart, [np.round(points[outline] * 16).astype(np.int32)], (0,), shift=4)
    if apart.all():  # beside the picture
        return np.zeros((size, size), np.float32)
    # Seen from the side the eyes' distance shrinks, and so does what lies round them.
    distance = cv2.distanceTransform(apart, cv2.DIST_L2, 5)
    return (distance <= reach * _scale(points)).astype(np.float32)


def _scale(points: np.ndarray) -> float:
    """The eyes' distance in pixels as from the front, for any view: from the root of the nose to the chin a face is 1.6
    times as high."""
    return max(eye_distance(points), float(np.linalg.norm(points[27] - points[8])) / 1.6)
