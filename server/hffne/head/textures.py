# SPDX-License-Identifier: GPL-3.0-or-later
"""A photo's detail on the head's UV square.

A texel takes its color and normal from where its point of the posed head lies on the photo. Texels that are hidden get
the mirrored side's, and those of neither side the person's skin tone and the mesh's own normal. Decisions are made
for each vertex, so that they do not change at a seam of the UVs. All transitions are soft.
"""

from typing import NamedTuple

import cv2
import numpy as np

from hffne.estimate import FaceEstimate
from hffne.geometry.completion import (
    LOW,
    Match,
    PhotoTexels,
    TexelBand,
    completed,
    each_band,
    match_sides,
    scaled,
    to_bytes,
    upsample_rows,
)
from hffne.geometry.face_parts import MARGIN
from hffne.geometry.grids import smoothstep
from hffne.geometry.textures import Textures, empty_textures
from hffne.geometry.vectors import normalize
from hffne.head.border_colors import border_colors
from hffne.head.grain import away_from_seams, cheek_grain
from hffne.head.grazing import grazing_factor
from hffne.head.lashes import remove_lashes
from hffne.head.mouth_colors import inside_of_mouth
from hffne.head.skin import MAX_RASTER, at_vertices, raster, skin
from hffne.head.skin_fill import filled_colors, skin_model, skin_share
from hffne.head.surface import HeadSurface
from hffne.head.visibility import visibility
from hffne.photo.crop import CROP

# The raster of smooth values: weights and filled colors.
_SMOOTH_RASTER = 512
# Shares of the photo below this do not count.
_LEAST = 1e-3
# Pixels of 256 from the rim of the face's mask over which the estimated normals fade in.
_RIM = 1.0, 10.0
# Beyond the charts, where nothing is: towards the viewer.
AHEAD = np.array([0, -1, 0], np.float32)


class HeadOnPhoto(NamedTuple):
    """The head's surface, where its n vertices lie on the crop (n, 3), and how well they are seen (n,)."""

    surface: HeadSurface
    at: np.ndarray
    seen: np.ndarray


def head_on_photo(posed: np.ndarray, estimate: FaceEstimate, photo_shape: tuple[int, ...]) -> HeadOnPhoto:
    """How a photo (H, W, 3) shows a head.

    posed (V, 3) float32: the head model's vertices as on the photo, meters, object axes, with the camera of
    estimate.shape.
    """
    surface = HeadSurface(posed)
    seen = visibility(surface, estimate.shape, estimate.crop.resized(CROP), photo_shape)
    return HeadOnPhoto(surface, estimate.shape.to_crop(surface.points), seen)


def unwrap_head(
    head: HeadOnPhoto, estimate: FaceEstimate, rgb: np.ndarray, size: int = 1024, unlit: bool = False
) -> Textures:
    """The textures of a head, normals in object space on the posed head.

    rgb (H, W, 3) uint8 or uint16 sRGB: the whole photo; size: the textures' side in texels; unlit: take the light out
    of the colors, by estimate.gain.
    """
    shape, crop = estimate.shape, estimate.crop.resized(CROP)
    surface, at, seen = head
    photo = PhotoTexels(estimate.normal, shape.rotation, rgb, crop, size, MARGIN)
    # What a vertex shows is told by the photo's own colors: without light, shaded teeth are as red as lips.
    colors = photo.coarse_colors(at[None])[0]
    face = estimate.parts.face_at(at)
    tone = skin_model(colors, seen * face)
    kept, certain = skin_share(face, colors, tone)
    outside = 1 - inside_of_mouth(colors, tone)
    kept, certain = kept * outside, certain * outside
    whole = seen * kept
    share = whole * (1 - border_colors(whole, colors, tone))
    relief = share * _within(estimate.mask, at)
    factor = None
    if unlit:
        photo = PhotoTexels(estimate.normal, shape.rotation, rgb, crop, size, MARGIN, estimate.gain)
        colors = photo.coarse_colors(at[None])[0]
        tone = skin_model(colors, seen * face)
        facing = (surface.normals @ shape.rotation.T.astype(np.float32))[:, 2]
        factor = grazing_factor(colors, whole, certain, facing, tone)
        colors = scaled(colors, factor)
    every = [at, surface.normals, share[:, None], np.ones_like(at) if factor is None else factor]
    low = raster(LOW).interpolated(np.hstack(every)[skin().of_point])
    match = match_sides(
        scaled(photo.coarse_colors(low[..., :3]), low[..., 7:]),
        photo.normals(low[..., :3]),
        normalize(low[..., 3:6]),
        low[..., 6],
    )
    other, other_relief = (np.clip(2 * each[skin().mirror], 0, 1) for each in (share, relief))
    shown = share + (1 - share) * other
    weights = np.stack([share, other, relief, other_relief, (1 - shown) * away_from_seams()], 1)
    twin = _mirrored_colors(colors, match)
    known = share * certain + (1 - share) * other * certain[skin().mirror]
    filled = filled_colors(twin + (colors - twin) * share[:, None], known, tone)
    texels = _HeadTexels(size, surface, at, weights, filled, tone.color, factor)
    grain = cheek_grain(texels.position, photo, share, size)
    textures = empty_textures(size)

    def fill(rows: slice) -> None:
        base, color, weight = texels.base(rows), texels.around(rows), texels.weights(rows)
        grain.add(color, weight[..., 4], rows)
        if columns := texels.shown(rows):
            part, plain = (rows, columns), base[:, columns]
            band = TexelBand(
                *part, texels.position(*part), weight[:, columns], plain, plain, color[:, columns], texels.factor(*part)
            )
            base[:, columns], color[:, columns] = completed(band, photo, match, size)
        textures.normal[rows], textures.color[rows] = normalize(base), to_bytes(color)
        textures.confidence[rows] = weight[..., 0]

    each_band(size, fill)
    remove_lashes(textures.color)
    return textures


class _HeadTexels:
    """The texels of a head: values of the skin's vertices on its UV square.

    at (n, 3) crop pixels of 256; weights (n, 5), as those of TexelBand and the grain's share; filled (n, 3) colors;
    factor (n, 3) on the photo's.
    """

    def __init__(
        self,
        size: int,
        surface: HeadSurface,
        at: np.ndarray,
        weights: np.ndarray,
        filled: np.ndarray,
        background: np.ndarray,
        factor: np.ndarray | None,
    ) -> None:
        self._size = size
        layout = skin()
        exact, smooth = raster(min(size, MAX_RASTER)), raster(min(size, _SMOOTH_RASTER))
        self._position = exact.interpolated(at[layout.of_point, :2])
        self._base = exact.interpolated(surface.normals[layout.of_point], AHEAD)
        self._weights = np.clip(smooth.interpolated(weights[layout.of_point]), 0, 1)
        self._around = smooth.interpolated(filled[layout.of_point], background.astype(np.float32))
        self._factor = None if factor is None else smooth.interpolated(factor[layout.of_point], 1.0)

    def shown(self, rows: slice) -> slice | None:
        """The columns, as many on the left as on the right, in which these rows have texels from the photo."""
        side = len(self._weights)
        first, last = (int(edge * side / self._size) for edge in (rows.start, rows.stop))
        any_ = (self._weights[max(first - 1, 0) : last + 2, :, :4] > _LEAST).any((0, 2))
        if not any_.any():
            return None
        left = int(min(np.argmax(any_), np.argmax(any_[::-1])) * self._size / side)
        left = max(left - 2 * self._size // side - 1, 0)
        return slice(left, self._size - left)

    def position(self, rows: slice, columns: slice) -> np.ndarray:
        """Crop positions of 256 (rows, W, 2)."""
        return upsample_rows(self._position, self._size, rows, columns)

    def weights(self, rows: slice) -> np.ndarray:
        """(rows, T, 5)."""
        return upsample_rows(self._weights, self._size, rows)

    def base(self, rows: slice) -> np.ndarray:
        """The mesh's normals (rows, T, 3), of about unit length: a new array."""
        return np.array(upsample_rows(self._base, self._size, rows))

    def factor(self, rows: slice, columns: slice) -> np.ndarray | None:
        """The factor on the photo's colors (rows, W, 3), None for 1."""
        return None if self._factor is None else upsample_rows(self._factor, self._size, rows, columns)

    def around(self, rows: slice) -> np.ndarray:
        """The filled colors (rows, T, 3) 0..1: a new array."""
        return np.array(upsample_rows(self._around, self._size, rows))


def _within(mask: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(n,) float32 of crop positions of 256 (n, 2+): 0 beside the mask (S, S) of the face, 1 well within it."""
    scale = np.float32(len(mask) / CROP)
    framed = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,))
    inward = cv2.distanceTransform(framed, cv2.DIST_L2, 5) / scale
    x, y = ((at[:, k : k + 1] + np.float32(0.5)) * scale + np.float32(0.5) for k in (0, 1))
    return smoothstep(*_RIM, cv2.remap(inward, x, y, cv2.INTER_LINEAR)[:, 0]).astype(np.float32)


def _mirrored_colors(colors: np.ndarray, match: Match) -> np.ndarray:
    """The colors (n, 3) of the mirrored side in this side's light."""
    return scaled(colors[skin().mirror], at_vertices(match.gain)).astype(np.float32)
