# SPDX-License-Identifier: GPL-3.0-or-later
"""Texels from a photo, and the mirrored other side of the face where the photo does not show a texel.

For layouts that are mirror-symmetric about u = 0.5, so that the mirrored side is a flip of the texture. The other side
is matched to this one's light and shape. Decisions and matching are made at LOW texels a side; they are smooth.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from hffne.geometry.grids import blur, fill_gaps
from hffne.geometry.unlit import without_light
from hffne.geometry.vectors import normalize, rotate_between
from hffne.photo.crop import CROP, Crop, extract_crop

# A power of two.
LOW = 256
# Texels that are computed at once, in whole rows, and by so many threads.
BAND, _THREADS = 128 * 2048, 4
# Sigma, in LOW texels, of the border between lighting and shape (coarser) and detail (finer).
MATCH_SIGMA = 6.0
# How much (in logarithms) the colors of the other side may be brightened or darkened.
GAIN_LIMIT = 0.6
# Beyond this difference two sides are more likely of different things (hair, background) than lit differently.
ODD = 0.4
DARK = 0.03
# A smaller share of the mirrored side is not seen.
_LEAST_SHARE = 1e-3
_FLIP = np.array([-1, 1, 1], np.float32)


class PhotoTexels:
    """The normals and colors of a photo at crop positions (..., 2+) of 256.

    normal    (S, S, 3) float32 unit normals on the crop, camera space
    rotation  object axes -> camera axes
    rgb       (H, W, 3) uint8 or uint16 sRGB, the whole photo
    size      the side of the textures in texels: colors are no finer than a crop of as many pixels
    margin    pixels of 256 around the crop from where colors are taken too
    gain      what takes the light out of the colors, see `unlit.centered`; None leaves it in
    """

    def __init__(
        self,
        normal: np.ndarray,
        rotation: np.ndarray,
        rgb: np.ndarray,
        crop: Crop,
        size: int,
        margin: int = 0,
        gain: np.ndarray | None = None,
    ) -> None:
        self._seen, self._rotation = normal, rotation
        self._margin = margin
        wider = (CROP + 2 * margin) / CROP
        self._wide = Crop(crop.center_x, crop.center_y, crop.side * wider, crop.size, crop.turns)
        self._rgb, self._gain = rgb, gain
        self._side = int(np.clip(round(self._wide.side), 64, size * wider))

    @cached_property
    def _normal(self) -> np.ndarray:
        # Row vectors: n_object = n_camera @ rotation.
        return (self._seen @ self._rotation.astype(np.float32)).astype(np.float32)

    @cached_property
    def _colors(self) -> np.ndarray:
        return self._picture(self._side)

    def normals(self, at: np.ndarray) -> np.ndarray:
        """Unit normals (..., 3), object space."""
        return normalize(self.raw_normals(at))

    def raw_normals(self, at: np.ndarray) -> np.ndarray:
        """The same, of about unit length."""
        return _sample(self._normal, at)

    def colors(self, at: np.ndarray) -> np.ndarray:
        """Colors (..., 3) 0..1, sRGB."""
        return np.clip(_sample(self._colors, at, self._margin), 0, 1)

    def coarse_colors(self, at: np.ndarray) -> np.ndarray:
        """The same without detail finer than a pixel of 256."""
        return np.clip(_sample(self._picture(CROP + 2 * self._margin), at, self._margin), 0, 1)

    def _picture(self, size: int) -> np.ndarray:
        picture = extract_crop(self._rgb, self._wide.resized(size))
        return picture if self._gain is None else without_light(np.clip(picture, 0, 1), self._gain, self._margin)


@dataclass(frozen=True)
class Match:
    """What brings the mirrored side to this one's light and shape: factor and offset, (LOW, LOW, 3) float32."""

    gain: np.ndarray
    tilt: np.ndarray


@dataclass(frozen=True)
class TexelBand:
    """Some rows, and columns W about the middle, of a layout's texels, all float32.

    position (rows, W, 2) crop positions of 256; weights (rows, W, 4): the photo's share in the color, the mirrored
    side's in the rest of it, and both in the normal; base (rows, W, 3) normals of the shape; rest (rows, W, 3) normals
    and around (rows, W, 3) colors 0..1 where neither side is visible; factor (rows, W, 3) on the photo's colors plus
    DARK.
    """

    rows: slice
    columns: slice
    position: np.ndarray
    weights: np.ndarray
    base: np.ndarray
    rest: np.ndarray
    around: np.ndarray
    factor: np.ndarray | None = None


def match_sides(color: np.ndarray, normal: np.ndarray, base: np.ndarray, confidence: np.ndarray) -> Match:
    """The Match of colors 0..1, object-space normals and the shape's normals (LOW, LOW, 3) of a face."""
    both = confidence * confidence[:, ::-1]
    # The other side's light and color, and its shape, brought to this side's wherever both are known.
    ratio = np.log(color + DARK)
    ratio -= ratio[:, ::-1]
    gain = smooth_difference(ratio, both / (1 + np.square(ratio / ODD).mean(2)))
    gain = np.exp(np.clip(gain, -GAIN_LIMIT, GAIN_LIMIT))
    tilt = smooth_difference(normal - mirrored(normal, base), both)
    return Match(gain.astype(np.float32), tilt.astype(np.float32))


def bands(size: int) -> Iterator[slice]:
    """The rows of a texture of `size` texels a side in bands."""
    step = max(BAND // size, 1)
    for start in range(0, size, step):
        yield slice(start, min(start + step, size))


def each_band(size: int, work: Callable[[slice], object]) -> None:
    """Do something with the rows of each of the `bands`, some of them at the same time."""
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        list(pool.map(work, bands(size)))


def completed(texels: TexelBand, photo: PhotoTexels, match: Match, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Normals (object space, not of unit length) and colors 0..1 (rows, W, 3) of a part of a texture of `size` texels
    a side."""
    sure, other, sure_normal, other_normal = (texels.weights[..., k : k + 1] for k in range(4))
    own, rest = photo.raw_normals(texels.position), texels.rest
    if (at := _needed(sure_normal, other_normal)) is not None:
        here, there = at, (at[0], own.shape[1] - 1 - at[1])
        tilt = upsample_rows(match.tilt, size, texels.rows, texels.columns)[here]
        twin = rotate_between(own[there] * _FLIP, texels.base[there] * _FLIP, texels.base[here]) + tilt
        rest = rest.copy()
        rest[here] += (twin - rest[here]) * other_normal[here]
    normal = rest + (own - rest) * sure_normal
    own, rest = photo.colors(texels.position), texels.around
    if texels.factor is not None:
        own = scaled(own, texels.factor)
    if (at := _needed(sure, other)) is not None:
        gain = upsample_rows(match.gain, size, texels.rows, texels.columns)[at]
        twin = (own[at[0], own.shape[1] - 1 - at[1]] + DARK) * gain - DARK
        rest = rest.copy()
        rest[at] += (twin - rest[at]) * other[at]
    return normal, rest + (own - rest) * sure


def _needed(sure: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Row and column of the texels in which the mirrored side has a share, None if there are none."""
    row, column = np.nonzero(((1 - sure) * other)[..., 0] > _LEAST_SHARE)
    return (row, column) if len(row) else None


def scaled(color: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Colors (..., 3) 0..1 with a factor (..., 3) on what they are plus DARK."""
    return np.clip((color + DARK) * factor - DARK, 0, 1)


def to_bytes(color: np.ndarray) -> np.ndarray:
    """Colors 0..1 as uint8."""
    return np.clip(color * 255 + 0.5, 0, 255).astype(np.uint8)


def smooth_difference(difference: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The low-frequency band of a difference (LOW, LOW, C) where the weight is high, extrapolated elsewhere.

    weight: (LOW, LOW) 0..1.
    """
    known = np.clip(blur(weight, MATCH_SIGMA) * 4, 0, 1)
    smooth = blur(difference, MATCH_SIGMA, weight + 1e-6)
    return blur(fill_gaps(smooth, known), MATCH_SIGMA)


def mirrored(normals: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The normals of the other side of the face for this one: mirrored, their relief transferred to this side's base.

    Both (H, W, 3), object space, whole rows of the texture or of its middle.
    """
    return rotate_between(normals[:, ::-1] * _FLIP, base[:, ::-1] * _FLIP, base)


def _sample(image: np.ndarray, at: np.ndarray, margin: int = 0) -> np.ndarray:
    """Values of a picture (S, S, 3) of the crop and its margin at crop positions of 256 (H, W, 2+), cubic."""
    scale = np.float32(image.shape[0] / (CROP + 2 * margin))
    x = (at[..., 0] + np.float32(0.5 + margin)) * scale - np.float32(0.5)
    y = (at[..., 1] + np.float32(0.5 + margin)) * scale - np.float32(0.5)
    return cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def upsample_rows(grid: np.ndarray, size: int, rows: slice, columns: slice = slice(None)) -> np.ndarray:
    """Rows of a smooth grid (L, L, C) resampled linearly to size x size texels: (rows, columns, C)."""
    side = len(grid)
    left, right, _ = columns.indices(size)
    first_column, last_column, offset = 0, side, left
    if size % side == 0:
        # Only what these columns need, with one more at each end.
        factor = size // side
        first_column, last_column = max(left // factor - 1, 0), min((right - 1) // factor + 2, side)
        offset = left - first_column * factor
    at = (np.arange(rows.start, rows.stop) + 0.5) * side / size - 0.5
    first = np.clip(np.floor(at), 0, side - 2).astype(int)
    t = np.clip(at - first, 0, 1).astype(np.float32)[:, None, None]
    part = grid[:, first_column:last_column]
    if side == size:
        band = part[rows]
    else:
        low = part[first]
        band = low + (part[first + 1] - low) * t
    width = (last_column - first_column) * size // side
    if width != band.shape[1]:
        band = cv2.resize(band, (width, len(band)), interpolation=cv2.INTER_LINEAR)
    return band.reshape(len(at), width, -1)[:, offset : offset + right - left]
