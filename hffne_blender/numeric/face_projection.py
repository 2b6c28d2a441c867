# SPDX-License-Identifier: GPL-3.0-or-later
"""UVs for the face of a head alone: an azimuthal projection around the middle of the head, which fills the square."""

import numpy as np

from .vectors import unit

# Width of the square that stays free around the face.
MARGIN = 0.02
# Height of the band at the bottom of the square, for what lies behind the face's outer side.
BAND = 0.12
# Degrees from straight ahead beyond which nothing belongs to the face.
WIDEST = 120.0


def middle_of(points: np.ndarray, border_distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(middle of the head (3,), the direction (3,) in which the face looks) of a face (V, 3).

    border_distance (V,): 0 at the face's border, whose middle lies between the ears
    """
    middle = points[border_distance <= np.quantile(border_distance, 0.02)].mean(0)
    return middle, unit((points.mean(0) - middle)[None])[0]


def project(points: np.ndarray, middle: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """The direction of points (N, 3) from the middle: (N, 2) degrees to the right of the picture and up."""
    up = np.array([0, 0, 1.0]) if abs(ahead[2]) < 0.9 else np.array([0, 1.0, 0])
    right = unit(np.cross(up, ahead)[None])[0]
    up = np.cross(ahead, right)
    offset = unit(points - middle)
    across = np.stack([offset @ right, offset @ up], axis=1)
    length = np.linalg.norm(across, axis=1)
    angle = np.degrees(np.arctan2(length, offset @ ahead))
    return across * (angle / np.maximum(length, 1e-12))[:, None]


def uvs_of(
    corners: np.ndarray,
    polygon: np.ndarray,
    middle: np.ndarray,
    ahead: np.ndarray,
    chosen: np.ndarray,
    behind: np.ndarray,
) -> np.ndarray:
    """UVs (L, 2) of a mesh's corners (L, 3): the polygons `chosen` (P,) fill the square, above a band for `behind`.

    polygon  (L,) the polygon of each corner
    behind   (P,) what lies behind the chosen ones, seen from outside, as the inner sides of the lips do

    The corners of all other polygons, and of those that reach beyond WIDEST, are at the square's corner.
    """
    flat = project(corners, middle, ahead)
    # Whole polygons: one with a corner left out would stretch across the square.
    near = np.bincount(polygon, np.linalg.norm(flat, axis=1) >= WIDEST, len(chosen)) == 0
    chosen, behind = (chosen & near)[polygon], (behind & near)[polygon]
    result = np.zeros((len(corners), 2), np.float32)
    bottom = BAND if behind.any() else 0.0
    for which, start, end in ((chosen, bottom + MARGIN, 1 - MARGIN), (behind, MARGIN, BAND)):
        if which.any():
            low, high = flat[which].min(0), flat[which].max(0)
            shares = (flat[which] - low) / np.maximum(high - low, 1e-9)
            result[which] = (MARGIN, start) + np.array((1 - 2 * MARGIN, end - start)) * shares
    return result
