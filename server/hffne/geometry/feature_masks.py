# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a picture shows lids, lips and the base of the nose, by the 68 iBUG points."""

import numpy as np

REACH = 0.12  # how far round the lids' and lips' edges, in distances of the eyes
EYES, LIPS = (slice(36, 42), slice(42, 48)), slice(48, 60)
BASE_OF_NOSE = slice(30, 36)  # its tip, and from wing to wing


def round_eyes(points: np.ndarray, size: int, reach: float = REACH) -> np.ndarray:
    """(S, S) float32: 1 on the eyes and as far as `reach` from the lids' edges, 0 from a pixel farther on.

    points (68, 2): pixels.
    """
    return _near(points, size, EYES, reach)


def round_mouth(points: np.ndarray, size: int, reach: float = REACH) -> np.ndarray:
    """The same of the mouth, from the lips' outer edge."""
    return _near(points, size, (LIPS,), reach)


def round_base_of_nose(points: np.ndarray, size: int, reach: float = REACH) -> np.ndarray:
    """The same of tip and wings of the nose."""
    return _near(points, size, (BASE_OF_NOSE,), reach)


def _near(points: np.ndarray, size: int, outlines: tuple[slice, ...], reach: float) -> np.ndarray:
    result = np.zeros((size, size), np.float32)
    points = np.clip(np.nan_to_num(points[:, :2]), -4 * size, 5 * size).astype(np.float32)
    # Seen from the side the eyes' distance shrinks, and so does what lies round them.
    far = np.float32(reach * eye_distance(points))
    for outline in outlines:
        corners = points[outline]
        left, top = (int(v) for v in np.clip(np.floor(corners.min(0) - far - 1), 0, size))
        right, bottom = (int(v) for v in np.clip(np.ceil(corners.max(0) + far + 2), 0, size))
        if left < right and top < bottom:
            y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
            near = np.clip(far - _distance(x, y, corners) + np.float32(0.5), 0, 1)
            result[top:bottom, left:right] = np.maximum(result[top:bottom, left:right], near)
    return result


def _distance(x: np.ndarray, y: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The distance of pixels (h, w) from a polygon (K, 2), 0 inside: exact, so that it moves with the corners."""
    inside = np.zeros(x.shape, bool)
    nearest = np.full(x.shape, np.inf, np.float32)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, 0), strict=True):
        dx, dy = x1 - x0, y1 - y0
        along = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, np.float32(1e-6)), 0, 1)
        nearest = np.minimum(nearest, np.square(x - x0 - along * dx) + np.square(y - y0 - along * dy))
        if dy:
            inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (dx / dy))
    return np.where(inside, 0, np.sqrt(nearest))


def eye_distance(points: np.ndarray) -> float:
    """The eyes' distance in pixels as from the front, of the iBUG points (68, 2+), for any view: from the root of the
    nose to the chin a face is 1.6 times as high."""
    eyes = points[EYES[0], :2].mean(0) - points[EYES[1], :2].mean(0)
    return max(float(np.linalg.norm(eyes)), float(np.linalg.norm(points[27, :2] - points[8, :2])) / 1.6)
