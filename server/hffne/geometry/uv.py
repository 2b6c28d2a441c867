# SPDX-License-Identifier: GPL-3.0-or-later
"""The UV layout of the position map: which texels are face, where the landmarks and regions lie."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

SIZE = 128
# The landmarks around brows, nostrils, eyes and lips.
_PAINTED = (slice(17, 22), slice(22, 27), slice(31, 36), slice(36, 42), slice(42, 48), slice(48, 60))


def pixels(coordinates, size):
    """Where coordinates (..., 2) in -1..1, y up, lie on a map of `size` texels: (..., 2) column and row."""
    return np.stack([(coordinates[..., 0] + 1) / 2 * size - 0.5, (1 - coordinates[..., 1]) / 2 * size - 0.5], -1)


def leave_bare_skin(mask, points, width):
    """Clear brows, eyes, nostrils and lips, whose edges are paint, not relief, in a mask (S, S), in place.

    points (68, 2): column and row of the landmarks; width: in pixels, of the line around each part.
    """
    for part in _PAINTED:
        hull = cv2.convexHull(np.round(points[part]).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, 0)
        cv2.polylines(mask, [hull], True, 0, width)


@dataclass(frozen=True)
class UVTemplate:
    """The layout and the mean face.

    mask (U, U) bool: texels of the face; mean (U, U, 3) float32: the mean head in meters, x right, y up,
    z out of the face, interpupillary distance 0.063, origin at the head's center; landmarks (68, 2) float32:
    row and column of the iBUG points; regions: name -> (U, U) bool.
    """

    mask: np.ndarray
    mean: np.ndarray
    landmarks: np.ndarray
    regions: dict


@cache
def template():
    """The shipped template."""
    with np.load(Path(__file__).with_name("uv_template.npz")) as data:
        index, names = data["regions"], data["region_names"]
        regions = {str(name): (index == i) & data["mask"] for i, name in enumerate(names)}
        return UVTemplate(data["mask"], data["mean"], data["landmarks"], regions)


@cache
def landmark_uvs():
    """Where the landmarks lie in the layout: (68, 2) float32 UVs, iBUG order."""
    row, column = (template().landmarks + 0.5).T / len(template().mask)
    return np.stack([column, 1 - row], axis=1).astype(np.float32)


# The outermost texels are ear and neck, and what a network knows least.
RIM = 2.0


@cache
def surface():
    """(U, U) bool: the texels that the engine builds the face of, the template's mask without its rim. Symmetric."""
    mask = template().mask
    side = len(mask)
    at = (np.arange(side) + 0.5) - side / 2
    return mask & (np.hypot(at[:, None], at[None, :]) <= side / 2 - RIM)
