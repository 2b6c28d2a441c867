# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a picture shows lids, lips and the base of the nose, by the 68 iBUG points."""

import cv2
import numpy as np

REACH = 0.12  # how far round the lids' and lips' edges, in distances of the eyes
EYES, LIPS = (slice(36, 42), slice(42, 48)), slice(48, 60)
BASE_OF_NOSE = slice(30, 36)  # its tip, and from wing to wing


def round_eyes(points: np.ndarray, size: int, reach: float = REACH) -> np.ndarray:
    """(S, S) float32: 1 on the eyes and as far as `reach` from the lids' edges, else 0. points (68, 2): pixels."""
    return _near(points, size, EYES, reach)


def round_mouth(points: np.ndarray, size: int, reach: float = REACH) -> np.ndarray:
    """(S, S) float32: 1 on the mouth and up to `reach` from the lips' outer edge, else 0. points (68, 2): pixels."""
    return _near(points, size, (LIPS,), reach)


def round_base_of_nose(points: np.ndarray, size: int, reach: float = REACH) -> np.ndarray:
    """(S, S) float32: 1 on tip and wings of the nose and up to `reach` from them, else 0. points (68, 2): pixels."""
    return _near(points, size, (BASE_OF_NOSE,), reach)


def _near(points: np.ndarray, size: int, outlines: tuple[slice, ...], reach: float) -> np.ndarray:
    apart = np.ones((size, size), np.uint8)
    points = np.clip(np.nan_to_num(points[:, :2]), -4 * size, 5 * size)
    for outline in outlines:
        cv2.fillPoly(apart, [np.round(points[outline] * 16).astype(np.int32)], (0,), shift=4)
    if apart.all():  # beside the picture
        return np.zeros((size, size), np.float32)
    # Seen from the side the eyes' distance shrinks, and so does what lies round them.
    distance = cv2.distanceTransform(apart, cv2.DIST_L2, 5)
    return (distance <= reach * eye_distance(points)).astype(np.float32)


def eye_distance(points: np.ndarray) -> float:
    """The eyes' distance in pixels as from the front, of the iBUG points (68, 2+), for any view: from the root of the
    nose to the chin a face is 1.6 times as high."""
    eyes = points[EYES[0], :2].mean(0) - points[EYES[1], :2].mean(0)
    return max(float(np.linalg.norm(eyes)), float(np.linalg.norm(points[27, :2] - points[8, :2])) / 1.6)
