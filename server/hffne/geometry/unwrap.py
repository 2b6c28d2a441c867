# SPDX-License-Identifier: GPL-3.0-or-later
"""Photo pixels to UV textures: what was seen, and a completion of what was not.

A texel takes its normal and color from where the base shape projects to. Texels turned away or hidden
get the mirrored other side of the face, matched to what is around them, and where that is not seen either,
the base shape's normal and the colors around. All changes between the sources are soft.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from hffne.geometry.grids import blur, fill, resample
from hffne.geometry.mesh import surface_normals
from hffne.geometry.uv import surface
from hffne.geometry.vectors import normalize, turn
from hffne.photo.crop import extract_crop

# Cosine of the angle to the viewer from which a texel is believed, and fully believed.
GRAZING, FACING = 0.10, 0.40
# Slack of the visibility test in crop pixels of 256: at all, and per unit of slope (z runs along a pixel).
SLACK, SLOPE_SLACK, MAX_SLACK = 2.5, 2.0, 14.0
# How much worse than its twin (difference of the cosines) a texel may be seen: wholly believed, not believed.
WORSE = 0.60, 0.85
# Distance to the outline of the face on the crop (pixels of 256) from which a texel is believed, and fully.
OUTLINE = 1.0, 5.0
# Decisions (confidence, matching) are made at this size; they are smooth. A power of two.
LOW = 256
BAND = 256
# sigma, in LOW texels, of what counts as lighting and shape rather than detail.
MATCH_SIGMA = 6.0
# How far (in logarithms) the colors of the other side may be taken up or down.
GAIN_LIMIT = 0.6
# Beyond this difference two sides are more likely of different things (hair, background) than lit differently.
ODD = 0.4
DARK = 0.03


@dataclass(frozen=True)
class Textures:
    """normal (T, T, 3) float32, object space, unit; color (T, T, 3) uint8 sRGB; confidence (T, T) float32 0..1.

    Row 0 is the top, v = 1. Outside of the face the textures go on smoothly, with confidence 0.
    """

    normal: np.ndarray
    color: np.ndarray
    confidence: np.ndarray


def unwrap(shape, projection, normal, rgb, crop, size=1024):
    """Textures of a face.

    shape       BaseShape
    projection  Projection of the shape on the crop, for what hides what
    normal      (S, S, 3) float32 unit normals on the crop, camera space
    rgb         (H, W, 3) uint8 or uint16, the whole photo; crop: the Crop that all of the above is on
    size        T, the textures' side in texels
    """
    position = shape.position_map()
    low = resample(position, LOW)
    base = base_normals(shape, LOW)
    confidence = _confidence(low, base @ shape.rotation.T, projection, crop, rgb.shape)
    # No more pixels than texels need: a texture of T is about as fine as a crop of T pixels.
    colors = extract_crop(rgb, crop.resized(int(np.clip(round(crop.side), 64, size))))
    to_object = shape.rotation.astype(np.float32)  # row vectors: n_object = n_camera @ rotation

    def seen_normals(at):
        return normalize(_look_up(normal, at) @ to_object)

    def seen_colors(at):
        return np.clip(_look_up(colors, at), 0, 1)

    small_colors = extract_crop(rgb, crop.resized(LOW))
    own_color = np.clip(_look_up(small_colors, low), 0, 1)
    own_normal = seen_normals(low)
    both = confidence * confidence[:, ::-1]
    # The other side's light and color, and its shape, brought to this side's wherever both are known.
    ratio = np.log(own_color + DARK)
    ratio -= ratio[:, ::-1]
    low_gain = matching(ratio, both / (1 + np.square(ratio / ODD).mean(2)))
    low_gain = np.exp(np.clip(low_gain, -GAIN_LIMIT, GAIN_LIMIT))
    low_tilt = matching(own_normal - _mirrored(own_normal, base), both)
    low_around = fill(own_color, confidence)
    low_lean = matching(own_normal - base, confidence)

    textures = Textures(
        np.empty((size, size, 3), np.float32), np.empty((size, size, 3), np.uint8), np.empty((size, size), np.float32)
    )
    mask = cv2.resize(surface().astype(np.float32), (LOW, LOW), interpolation=cv2.INTER_LINEAR)
    weights = np.dstack([confidence, np.clip(2 * confidence[:, ::-1], 0, 1), mask])
    guides = [grid.astype(np.float32) for grid in (weights, low_gain, low_tilt, low_around, low_lean, base)]
    for start in range(0, size, BAND):
        rows = slice(start, min(start + BAND, size))
        at = resample(position[..., :2], size, rows)
        weight, gain, tilt, around, lean, below = (enlarge_rows(grid, size, rows) for grid in guides)
        sure, other = np.clip(weight[..., :1], 0, 1), np.clip(weight[..., 1:2], 0, 1)
        below = normalize(below)
        own = seen_normals(at)
        twin = normalize(_mirrored(own, below) + tilt)
        rest = normalize(below + lean)
        rest += (twin - rest) * other
        textures.normal[rows] = normalize(rest + (own - rest) * sure)
        own = seen_colors(at)
        twin = (own[:, ::-1] + DARK) * gain - DARK
        rest = around + (twin - around) * other
        color = rest + (own - rest) * sure
        textures.color[rows] = np.clip(color * 255 + 0.5, 0, 255).astype(np.uint8)
        textures.confidence[rows] = sure[..., 0] * (weight[..., 2] > 0.5)
    return textures


def base_normals(shape, size):
    """Object-space normals of the base shape (size, size, 3), going on smoothly outside of the face."""
    normals = surface_normals(shape.points, size)
    mask = cv2.resize(surface().astype(np.float32), (size, size), interpolation=cv2.INTER_NEAREST)
    return normalize(fill(normals, mask)).astype(np.float32)


def _confidence(position, normals, projection, crop, photo_shape):
    """(LOW, LOW) float32: 0 turned away, hidden, off the photo or off the face; 1 seen well; soft between."""
    facing = normals[..., 2]
    t = np.clip((facing - GRAZING) / (FACING - GRAZING), 0, 1)
    angle = t * t * (3 - 2 * t)
    # The far cheek of a turned head: a few smeared pixels, while its twin is seen from the front.
    behind = facing[:, ::-1] - facing
    angle *= np.clip((WORSE[1] - behind) / (WORSE[1] - WORSE[0]), 0, 1)
    scale = np.float32(len(projection.depth) / 256)
    x, y = ((position[..., k] + np.float32(0.5)) * scale - np.float32(0.5) for k in (0, 1))
    nearest = cv2.remap(projection.depth, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=-np.inf)
    # The shape is not exact to the pixel, so what is behind the face's outline shines in along it.
    inward = cv2.distanceTransform(projection.mask.astype(np.uint8), cv2.DIST_L2, 5) / scale
    inward = cv2.remap(inward, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    angle *= np.clip((inward - OUTLINE[0]) / (OUTLINE[1] - OUTLINE[0]), 0, 1)
    slope = np.sqrt(np.clip(1 - facing**2, 0, 1)) / np.maximum(facing, 0.05)
    free = nearest - position[..., 2] < np.minimum(SLACK + SLOPE_SLACK * slope, MAX_SLACK)
    at = crop.resized(256).to_photo(position)
    height, width = photo_shape[:2]
    on_photo = (at[..., 0] > 0) & (at[..., 0] < width - 1) & (at[..., 1] > 0) & (at[..., 1] < height - 1)
    mask = cv2.resize(surface().astype(np.float32), (LOW, LOW), interpolation=cv2.INTER_NEAREST)
    # A lone texel that passes or fails the test is chance.
    visible = cv2.medianBlur((free & on_photo).astype(np.uint8), 5)
    visible = cv2.erode(visible, np.ones((5, 5), np.uint8)).astype(np.float32)
    # Never more than at the texel itself: what is blurred across an outline must not bring back what is hidden.
    soft = np.clip(2 * blur(visible, 3.0, mask) - 1, 0, 1)
    return blur(angle * soft, 1.5, mask).astype(np.float32)


def matching(difference, weight):
    """The low band of a difference where `weight` says it is known, continued everywhere."""
    known = np.clip(blur(weight, MATCH_SIGMA) * 4, 0, 1)
    smooth = blur(difference, MATCH_SIGMA, weight + 1e-6)
    return blur(fill(smooth, known), MATCH_SIGMA)


def _mirrored(normals, base):
    """The normals of the other side as this side would have them: mirrored, then laid onto this side's base.

    Both (H, W, 3), object space, whole rows of the texture.
    """
    flip = np.float32([-1, 1, 1])
    return turn(normals[:, ::-1] * flip, base[:, ::-1] * flip, base)


def _look_up(image, at):
    """Values of a crop's picture (S, S, 3) at crop positions of 256 (H, W, 2+), cubic."""
    scale = np.float32(image.shape[0] / 256)
    x = (at[..., 0] + np.float32(0.5)) * scale - np.float32(0.5)
    y = (at[..., 1] + np.float32(0.5)) * scale - np.float32(0.5)
    return cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def enlarge_rows(grid, size, rows):
    """Rows of a smooth grid (L, L, C) seen at size x size texels, linear: (rows, size, C)."""
    side = len(grid)
    at = (np.arange(rows.start, rows.stop) + 0.5) * side / size - 0.5
    first = np.clip(np.floor(at), 0, side - 2).astype(int)
    t = np.clip(at - first, 0, 1).astype(np.float32)[:, None, None]
    band = grid[first] * (1 - t) + grid[first + 1] * t
    return cv2.resize(band, (size, len(band)), interpolation=cv2.INTER_LINEAR)
