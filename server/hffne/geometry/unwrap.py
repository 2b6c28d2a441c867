# SPDX-License-Identifier: GPL-3.0-or-later
"""Photo pixels to UV textures: the visible texels, and a completion of the others.

A texel takes its normal and color from where the base shape projects to. Texels turned away or hidden
get the mirrored other side of the face, matched to their surroundings, and where that is not visible either,
the base shape's normal and the colors around. All transitions between the sources are soft.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.grids import blur, fill_gaps, resample, surface_normals
from hffne.geometry.project import Projection
from hffne.geometry.uv import face_texels
from hffne.geometry.vectors import normalize, rotate_between
from hffne.photo.crop import CROP, Crop, extract_crop

# Cosine of the angle to the viewer at which a texel's confidence is 0, and from which it is 1.
GRAZING, FACING = 0.10, 0.40
# Slack of the visibility test in crop pixels of 256: at all, and per unit of slope (z runs along a pixel).
SLACK, SLOPE_SLACK, MAX_SLACK = 2.5, 2.0, 14.0
# Difference of the cosines of a texel's mirrored twin and its own: up to which the confidence is kept, from which it
# is 0.
WORSE = 0.60, 0.85
# Distance to the outline of the face on the crop (pixels of 256) at which the confidence is 0, and from which it is 1.
OUTLINE = 1.0, 5.0
# Decisions (confidence, matching) are made at this size; they are smooth. A power of two.
LOW = 256
BAND = 256
# Sigma, in LOW texels, of the border between lighting and shape (coarser) and detail (finer).
MATCH_SIGMA = 6.0
# How much (in logarithms) the colors of the other side may be brightened or darkened.
GAIN_LIMIT = 0.6
# Beyond this difference two sides are more likely of different things (hair, background) than lit differently.
ODD = 0.4
DARK = 0.03


@dataclass(frozen=True)
class Textures:
    """The textures of a face.

    normal (T, T, 3) float32, object space, unit; color (T, T, 3) uint8 sRGB; confidence (T, T) float32 0..1.

    Row 0 is the top, v = 1. Outside of the face the textures are extrapolated smoothly, with confidence 0.
    """

    normal: np.ndarray
    color: np.ndarray
    confidence: np.ndarray


def empty_textures(size: int) -> Textures:
    """Uninitialized Textures of `size` texels a side, to be filled in bands of rows."""
    return Textures(
        np.empty((size, size, 3), np.float32), np.empty((size, size, 3), np.uint8), np.empty((size, size), np.float32)
    )


def unwrap(
    shape: BaseShape, projection: Projection, normal: np.ndarray, rgb: np.ndarray, crop: Crop, size: int = 1024
) -> Textures:
    """The textures of a face.

    shape       the base shape
    projection  of the shape on the crop, for occlusion
    normal      (S, S, 3) float32 unit normals on the crop, camera space
    rgb         (H, W, 3) uint8 or uint16 sRGB, the whole photo
    crop        the Crop that all of the above is on
    size        the textures' side in texels, T
    """
    position = shape.position_map()
    low = resample(position, LOW)
    base = base_normals(shape, LOW)
    confidence = _confidence(low, base @ shape.rotation.T, projection, crop, rgb.shape)
    # No more pixels than texels need: a texture of T is about as fine as a crop of T pixels.
    colors = extract_crop(rgb, crop.resized(int(np.clip(round(crop.side), 64, size))))
    to_object = shape.rotation.astype(np.float32)  # row vectors: n_object = n_camera @ rotation

    def photo_normals(at: np.ndarray) -> np.ndarray:
        return normalize(_sample_crop(normal, at) @ to_object)

    def photo_colors(at: np.ndarray) -> np.ndarray:
        return np.clip(_sample_crop(colors, at), 0, 1)

    small_colors = extract_crop(rgb, crop.resized(LOW))
    own_color = np.clip(_sample_crop(small_colors, low), 0, 1)
    own_normal = photo_normals(low)
    both = confidence * confidence[:, ::-1]
    # The other side's light and color, and its shape, brought to this side's wherever both are known.
    ratio = np.log(own_color + DARK)
    ratio -= ratio[:, ::-1]
    low_gain = smooth_difference(ratio, both / (1 + np.square(ratio / ODD).mean(2)))
    low_gain = np.exp(np.clip(low_gain, -GAIN_LIMIT, GAIN_LIMIT))
    low_tilt = smooth_difference(own_normal - _mirrored(own_normal, base), both)
    low_around = fill_gaps(own_color, confidence)
    low_offset = smooth_difference(own_normal - base, confidence)

    textures = empty_textures(size)
    mask = cv2.resize(face_texels().astype(np.float32), (LOW, LOW), interpolation=cv2.INTER_LINEAR)
    weights = np.dstack([confidence, np.clip(2 * confidence[:, ::-1], 0, 1), mask])
    guides = [grid.astype(np.float32) for grid in (weights, low_gain, low_tilt, low_around, low_offset, base)]
    for start in range(0, size, BAND):
        rows = slice(start, min(start + BAND, size))
        at = resample(position[..., :2], size, rows)
        weight, gain, tilt, around, offset, below = (upsample_rows(grid, size, rows) for grid in guides)
        sure, other = np.clip(weight[..., :1], 0, 1), np.clip(weight[..., 1:2], 0, 1)
        below = normalize(below)
        own = photo_normals(at)
        twin = normalize(_mirrored(own, below) + tilt)
        rest = normalize(below + offset)
        rest += (twin - rest) * other
        textures.normal[rows] = normalize(rest + (own - rest) * sure)
        own = photo_colors(at)
        twin = (own[:, ::-1] + DARK) * gain - DARK
        rest = around + (twin - around) * other
        color = rest + (own - rest) * sure
        textures.color[rows] = np.clip(color * 255 + 0.5, 0, 255).astype(np.uint8)
        textures.confidence[rows] = sure[..., 0] * (weight[..., 2] > 0.5)
    return textures


def base_normals(shape: BaseShape, size: int) -> np.ndarray:
    """Object-space normals (size, size, 3) of the base shape, extrapolated smoothly outside of the face."""
    normals = surface_normals(shape.points, size)
    mask = cv2.resize(face_texels().astype(np.float32), (size, size), interpolation=cv2.INTER_NEAREST)
    return normalize(fill_gaps(normals, mask)).astype(np.float32)


def _confidence(
    position: np.ndarray, normals: np.ndarray, projection: Projection, crop: Crop, photo_shape: tuple[int, ...]
) -> np.ndarray:
    """(LOW, LOW) float32: 0 turned away, hidden, off the photo or off the face; 1 facing the camera; soft between.

    position (LOW, LOW, 3) crop pixels of 256; normals (LOW, LOW, 3) camera space.
    """
    facing = normals[..., 2]
    t = np.clip((facing - GRAZING) / (FACING - GRAZING), 0, 1)
    angle = t * t * (3 - 2 * t)
    # The far cheek of a turned head: a few smeared pixels, while its twin faces the camera.
    behind = facing[:, ::-1] - facing
    angle *= np.clip((WORSE[1] - behind) / (WORSE[1] - WORSE[0]), 0, 1)
    scale = np.float32(len(projection.depth) / CROP)
    x, y = ((position[..., k] + np.float32(0.5)) * scale - np.float32(0.5) for k in (0, 1))
    nearest = cv2.remap(
        projection.depth, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=(-np.inf,)
    )
    # The shape is not exact to the pixel, so the background bleeds in along the face's outline.
    distance = cv2.distanceTransform(projection.mask.astype(np.uint8), cv2.DIST_L2, 5) / scale
    inward = cv2.remap(distance, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    angle *= np.clip((inward - OUTLINE[0]) / (OUTLINE[1] - OUTLINE[0]), 0, 1)
    slope = np.sqrt(np.clip(1 - facing**2, 0, 1)) / np.maximum(facing, 0.05)
    free = nearest - position[..., 2] < np.minimum(SLACK + SLOPE_SLACK * slope, MAX_SLACK)
    at = crop.resized(CROP).to_photo(position)
    height, width = photo_shape[:2]
    on_photo = (at[..., 0] > 0) & (at[..., 0] < width - 1) & (at[..., 1] > 0) & (at[..., 1] < height - 1)
    mask = cv2.resize(face_texels().astype(np.float32), (LOW, LOW), interpolation=cv2.INTER_NEAREST)
    # A single texel that passes or fails the test is noise.
    visible = cv2.medianBlur((free & on_photo).astype(np.uint8), 5)
    visible = cv2.erode(visible, np.ones((5, 5), np.uint8)).astype(np.float32)
    # Never more than at the texel itself: a blur across an outline must not make hidden texels visible.
    soft = np.clip(2 * blur(visible, 3.0, mask) - 1, 0, 1)
    return blur(angle * soft, 1.5, mask).astype(np.float32)


def smooth_difference(difference: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The low-frequency band of a difference (LOW, LOW, C) where the weight is high, extrapolated elsewhere.

    weight: (LOW, LOW) 0..1.
    """
    known = np.clip(blur(weight, MATCH_SIGMA) * 4, 0, 1)
    smooth = blur(difference, MATCH_SIGMA, weight + 1e-6)
    return blur(fill_gaps(smooth, known), MATCH_SIGMA)


def _mirrored(normals: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The normals of the other side of the face for this one: mirrored, their relief transferred to this side's base.

    Both (H, W, 3), object space, whole rows of the texture.
    """
    flip = np.array([-1, 1, 1], np.float32)
    return rotate_between(normals[:, ::-1] * flip, base[:, ::-1] * flip, base)


def _sample_crop(image: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values of a crop's picture (S, S, 3) at crop positions of 256 (H, W, 2+), cubic."""
    scale = np.float32(image.shape[0] / CROP)
    x = (at[..., 0] + np.float32(0.5)) * scale - np.float32(0.5)
    y = (at[..., 1] + np.float32(0.5)) * scale - np.float32(0.5)
    return cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def upsample_rows(grid: np.ndarray, size: int, rows: slice) -> np.ndarray:
    """Rows of a smooth grid (L, L, C) resampled linearly to size x size texels: (rows, size, C)."""
    side = len(grid)
    at = (np.arange(rows.start, rows.stop) + 0.5) * side / size - 0.5
    first = np.clip(np.floor(at), 0, side - 2).astype(int)
    t = np.clip(at - first, 0, 1).astype(np.float32)[:, None, None]
    band = grid[first] * (1 - t) + grid[first + 1] * t
    return cv2.resize(band, (size, len(band)), interpolation=cv2.INTER_LINEAR)
