# SPDX-License-Identifier: GPL-3.0-or-later
"""The UV layout of the position map: which texels are face, where the landmarks and regions lie."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

SIZE = 128
# Half angles that the layout spans (degrees): sideways to the ears, up to the hairline, down under the chin.
SIDE, UP, DOWN = 84.0, 62.0, 66.0
# Texels. The outermost ones are ear and neck, where the network is least accurate.
RIM = 2.0
# The landmarks around brows, nostrils, eyes and lips.
_FEATURES = (slice(17, 22), slice(22, 27), slice(31, 36), slice(36, 42), slice(42, 48), slice(48, 60))


def coordinates(points: np.ndarray) -> np.ndarray:
    """Layout coordinates (N, 2), -1..1 on the layout, x right and y up, of points (N, 3) around the head's center.

    An azimuthal projection: the distance from the middle is the angle from straight ahead.
    """
    d = points / np.linalg.norm(points, axis=1, keepdims=True)
    angle = np.arccos(np.clip(d[:, 2], -1, 1))
    xy = d[:, :2] * (angle / np.maximum(np.sin(angle), 1e-6))[:, None]
    return np.stack([xy[:, 0] / np.radians(SIDE), xy[:, 1] / np.radians(np.where(xy[:, 1] > 0, UP, DOWN))], 1)


def pixels(coordinates: np.ndarray, size: int) -> np.ndarray:
    """Coordinates (..., 2) in -1..1, y up, as column and row (..., 2) of a map of `size` texels."""
    return np.stack([(coordinates[..., 0] + 1) / 2 * size - 0.5, (1 - coordinates[..., 1]) / 2 * size - 0.5], -1)


def clear_facial_features(mask: np.ndarray, points: np.ndarray, width: int) -> None:
    """Set a mask (S, S) to 0 at brows, eyes, nostrils and lips, whose edges are color, not relief; in place.

    points (68, 2): column and row of the landmarks; width: in pixels, of the line around each part.
    """
    for part in _FEATURES:
        hull = cv2.convexHull(np.round(points[part]).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, (0,))
        cv2.polylines(mask, [hull], True, (0,), width)


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
    regions: dict[str, np.ndarray]

    def region(self, *names: str) -> np.ndarray:
        """(U, U) float32: 1 on the texels of any of these regions, 0 elsewhere."""
        return np.any([self.regions[name] for name in names], axis=0).astype(np.float32)


@cache
def template() -> UVTemplate:
    """The shipped layout and mean face."""
    with np.load(Path(__file__).with_name("uv_template.npz")) as data:
        index, names = data["regions"], data["region_names"]
        regions = {str(name): (index == i) & data["mask"] for i, name in enumerate(names)}
        return UVTemplate(data["mask"], data["mean"], data["landmarks"], regions)


@cache
def landmark_uvs() -> np.ndarray:
    """The UVs (68, 2) float32 of the landmarks, iBUG order."""
    row, column = (template().landmarks + 0.5).T / len(template().mask)
    return np.stack([column, 1 - row], axis=1).astype(np.float32)


@cache
def face_texels() -> np.ndarray:
    """The texels (U, U) bool that the face is built from: the template's mask without its rim. Symmetric."""
    mask = template().mask
    side = len(mask)
    at = (np.arange(side) + 0.5) - side / 2
    return mask & (np.hypot(at[:, None], at[None, :]) <= side / 2 - RIM)
