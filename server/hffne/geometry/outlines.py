# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes and lips of the base shape, moved to where the photo shows their outlines.

The position map knows an eye's height to about 0.9 % of the face, the parsing network to 0.4 (standard deviations of
lids against points placed by hand). What is drawn onto a mesh whose lids lie beside the photo's is an iris on a lid.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from hffne.geometry.base_shape import FLIP_Y, BaseShape
from hffne.geometry.face_parts import MARGIN, FaceParts
from hffne.geometry.grids import sample
from hffne.geometry.smooth_field import kernel
from hffne.geometry.uv import template
from hffne.parts import CLOTH, EYES, HAIR, LIPS, MOUTH, OCCLUDER

# How the shape's error is alike at two points: sigmas in meters and shares. An eyelid, and an eye or a mouth.
_KERNELS = ((0.008, 0.5), (0.025, 0.5))
# The variance with which the other points stay, against the shape's own: brows do not follow a lid.
_UNSEEN = 0.5
# Around a feature, half the sides of the picture that is looked at, in its widths, and its pixels.
_AROUND, _SIDES = (0.95, 0.75), (161, 129)
# The least and the greatest width against the shape's, and how far its middle may lie off, in widths; others are not
# this feature, or half of it is covered.
_WIDTH, _OFF = (0.6, 1.5), 0.4
# What may lie before a feature; the share of the picture up to which it is whole; how much it faces the
# camera at least.
_COVERS, _COVERED, _FACING = (HAIR, OCCLUDER, CLOTH), 0.15, 0.5
# The inside of the mouth counts from this share of its and the lips' pixels on.
_OPEN = 0.06
# Columns of a corner, whose middle tells how high it lies.
_CORNER = 3
# Softens the network's pixels, in those of 256.
_SOFT = 0.6


class _Feature(NamedTuple):
    """A closed outline of iBUG points.

    corners           the right one and the left one in the picture
    upper, lower      the points between them
    parts             of the photo that lie within
    likely            how likely these are where it ends, at the corners and at the other points
    noise             variances against the shape's own: to the side at the corners, and up and down
    """

    corners: tuple[int, int]
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    parts: tuple[int, ...]
    likely: tuple[float, float]
    noise: tuple[float, float]

    @property
    def points(self) -> list[int]:
        """All of them: both corners, then the upper and the lower points."""
        return [*self.corners, *self.upper, *self.lower]


# By the points of 28 people of the London Set. The corners' thin wedges are seen less well than lids and lips; what
# may be an eye reaches into lashes and the lids' margins.
_EYES = tuple(
    _Feature((first, first + 3), (first + 1, first + 2), (first + 5, first + 4), (EYES,), (0.5, 0.8), (1.0, 0.2))
    for first in (36, 42)
)
_LIPS = _Feature((48, 54), (49, 50, 51, 52, 53), (59, 58, 57, 56, 55), (LIPS, MOUTH), (0.45, 0.45), (1.5, 0.4))
_INNER = _Feature((60, 64), (61, 62, 63), (67, 66, 65), (MOUTH,), (0.45, 0.45), (1.5, 0.15))


class _Seen(NamedTuple):
    """Points (K,) of a feature, their moves (K, 2) in pixels of the crop at 256, and the moves' noise (K, 2)."""

    points: list[int]
    moves: np.ndarray
    noise: np.ndarray


def on_outlines(shape: BaseShape, parts: FaceParts) -> BaseShape:
    """The shape with eyes and lips where the photo shows them; the same where it does not show them well enough.

    A Gaussian process whose observations are the outlines: it moves a point along the picture, as far as its
    neighbors say so. parts: of the photo, on the crop of the shape.
    """
    marks = sample(shape.points, template().landmarks)
    camera = shape.to_crop(marks)
    moves, noise, seen = np.zeros((len(marks), 2)), np.full((len(marks), 2), _UNSEEN), False
    for each in _seen(camera, parts):
        moves[each.points], noise[each.points], seen = each.moves, each.noise, True
    if not seen:
        return shape
    near = kernel(marks, marks, _KERNELS).astype(float)
    weights = np.stack([np.linalg.solve(near + np.diag(noise[:, k]), moves[:, k]) for k in (0, 1)], 1)
    to_object = (shape.rotation[:2] * FLIP_Y[:2, None] / shape.scale).astype(np.float32)
    # The field is smooth: every second texel is enough.
    side = len(shape.points)
    coarse = cv2.resize(shape.points, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    moved = (kernel(coarse, marks, _KERNELS) @ (weights.astype(np.float32) @ to_object)).reshape(coarse.shape)
    return replace(shape, points=shape.points + cv2.resize(moved, (side, side), interpolation=cv2.INTER_CUBIC))


def _seen(camera: np.ndarray, parts: FaceParts) -> Iterator[_Seen]:
    """What the photo shows of each feature; camera (68, 3): the shape's iBUG points in pixels of the crop at 256."""
    crop = slice(MARGIN, -MARGIN)
    likely = {part: parts.shares[part, crop, crop].astype(np.float32) for part in (EYES, LIPS, MOUTH, *_COVERS)}
    covers = np.sum([likely[part] for part in _COVERS], 0)
    features = [*_EYES, _LIPS]
    if likely[MOUTH].sum() > _OPEN * (likely[LIPS].sum() + likely[MOUTH].sum()):
        features.append(_INNER)
    for feature in features:
        within = np.sum([likely[part] for part in feature.parts], 0)
        found = _look(feature, camera, cv2.GaussianBlur(within, (0, 0), _SOFT), covers)
        if found is not None:
            yield found


def _look(feature: _Feature, camera: np.ndarray, likely: np.ndarray, covers: np.ndarray) -> _Seen | None:
    """A feature on the photo, by the maps (256, 256) of how likely its parts and covers are, or None."""
    right, left = camera[list(feature.corners)]
    middle, across = (right + left)[:2] / 2, (left - right)[:2]
    width = float(np.hypot(*across))
    if width < 4 or _facing(feature, camera) < _FACING:
        return None
    axes = np.stack([across, [-across[1], across[0]]]) / width  # to the left corner, and down
    x, y = (np.linspace(-1, 1, side) * reach * width for side, reach in zip(_SIDES, _AROUND, strict=True))
    at = (middle + x[None, :, None] * axes[0] + y[:, None, None] * axes[1]).astype(np.float32)
    picture, cover = (cv2.remap(each, at[..., 0], at[..., 1], cv2.INTER_LINEAR) for each in (likely, covers))
    blob = _largest(picture > feature.likely[0])
    if blob is None or cover[np.abs(y) < width / 2].mean() > _COVERED:
        return None
    columns = np.flatnonzero(blob.any(0))
    ends = _ends(picture, blob, x, feature.likely[0])
    if not _WIDTH[0] < (ends[1] - ends[0]) / width < _WIDTH[1] or abs(ends.mean()) > _OFF * width:
        return None
    places = np.array([(camera[feature.points, :2] - middle) @ axis for axis in axes])
    least = np.minimum(feature.likely[1], 0.9 * (picture * blob).max(0))
    upper, lower = (_edge(picture, blob, y, least, side)[columns] for side in (1, -1))
    corners = [(upper[part] + lower[part]).mean() / 2 for part in (slice(_CORNER), slice(-_CORNER, None))]
    # The same way along the feature on the shape and on the photo.
    beside = np.interp(places[0, 2:], places[0, :2], ends)
    count = len(feature.upper)
    above, below = (np.interp(at, x[columns], edge) for at, edge in ((beside[:count], upper), (beside[count:], lower)))
    heights = np.array([*corners, *above, *below])
    # How far to the side they lie is seen at the corners, and what is between them goes with both.
    sideways = np.interp(places[0], places[0, :2], ends - places[0, :2])
    moves = np.stack([sideways, heights - places[1]], 1)
    return _Seen(feature.points, moves @ axes, np.tile(feature.noise, (len(moves), 1)))


def _facing(feature: _Feature, camera: np.ndarray) -> float:
    """The cosine of the angle between a feature's plane and the picture."""
    across = camera[feature.corners[1]] - camera[feature.corners[0]]
    down = camera[list(feature.lower)].mean(0) - camera[list(feature.upper)].mean(0)
    # A closed mouth has no height: it faces as its corners do.
    normal = np.cross(across, down if np.hypot(*down[:2]) > 1 else [0, 1, 0])
    return float(abs(normal[2]) / max(float(np.linalg.norm(normal)), 1e-9))


def _largest(mask: np.ndarray) -> np.ndarray | None:
    """The largest connected part of a mask (H, W), or None of an empty one."""
    count, label, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return label == 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA])) if count > 1 else None


def _ends(picture: np.ndarray, blob: np.ndarray, x: np.ndarray, likely: float) -> np.ndarray:
    """Where a blob (H, W) begins and ends (2,), between the columns at x (W,)."""
    columns, rows = (np.flatnonzero(blob.any(axis)) for axis in (0, 1))
    most = picture[rows[0] : rows[-1] + 1].max(0)
    ends = []
    for inner, step in ((columns[0], -1), (columns[-1], 1)):
        outer = int(np.clip(inner + step, 0, len(x) - 1))
        share = np.clip((likely - most[inner]) / min(float(most[outer] - most[inner]), -1e-6), 0, 1)
        ends.append(x[inner] + (x[outer] - x[inner]) * share)
    return np.array(ends)


def _edge(picture: np.ndarray, blob: np.ndarray, y: np.ndarray, least: np.ndarray, side: int) -> np.ndarray:
    """(W,) where a blob (H, W) becomes as likely as `least` (W,), from above (side 1) or below (-1), between the
    pixels."""
    picture, blob, y = picture[::side], blob[::side], y[::side]
    row, column = (blob & (picture >= least)).argmax(0), np.arange(blob.shape[1])
    before = np.maximum(row - 1, 0)
    inner, outer = picture[row, column], picture[before, column]
    share = np.clip((least - outer) / np.maximum(inner - outer, 1e-6), 0, 1)
    return y[before] + (y[row] - y[before]) * share
