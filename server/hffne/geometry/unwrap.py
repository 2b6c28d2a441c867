# SPDX-License-Identifier: GPL-3.0-or-later
"""Photo pixels to UV textures: the visible texels, and a completion of the others.

A texel takes its normal and color from where the base shape projects to. Texels turned away or hidden
get the mirrored other side of the face, matched to their surroundings, and where that is not visible either,
the base shape's normal and the colors around. All transitions between the sources are soft.
"""

import cv2
import numpy as np

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.completion import (
    LOW,
    PhotoTexels,
    TexelBand,
    completed,
    each_band,
    match_sides,
    smooth_difference,
    to_bytes,
    upsample_rows,
)
from hffne.geometry.face_parts import FaceParts
from hffne.geometry.grids import blur, fill_gaps, resample, smoothstep, surface_normals
from hffne.geometry.project import Projection
from hffne.geometry.textures import Textures, empty_textures
from hffne.geometry.uv import face_texels
from hffne.geometry.vectors import normalize
from hffne.photo.crop import CROP, Crop

# Cosine of the angle to the viewer at which a texel's confidence is 0, and from which it is 1.
GRAZING, FACING = 0.10, 0.40
# Slack of the visibility test in crop pixels of 256: at all, and per unit of slope (z runs along a pixel).
SLACK, SLOPE_SLACK, MAX_SLACK = 2.5, 2.0, 14.0
# Difference of the cosines of a texel's mirrored twin and its own: up to which the confidence is kept, from which it
# is 0.
WORSE = 0.60, 0.85
# Distance to the outline of the face on the crop (pixels of 256) at which the confidence is 0, and from which it is 1.
OUTLINE = 1.0, 5.0


def unwrap(
    shape: BaseShape,
    projection: Projection,
    normal: np.ndarray,
    rgb: np.ndarray,
    crop: Crop,
    size: int = 1024,
    parts: FaceParts | None = None,
    gain: np.ndarray | None = None,
) -> Textures:
    """The textures of a face.

    shape       the base shape
    projection  of the shape on the crop, for occlusion
    normal      (S, S, 3) float32 unit normals on the crop, camera space
    rgb         (H, W, 3) uint8 or uint16 sRGB, the whole photo
    crop        the Crop that all of the above is on
    size        the textures' side in texels, T
    parts       what of the crop shows the face; None: all of it
    gain        (WIDE, WIDE, 3) of `unlit.centered`: take the light out of the colors; None leaves it in
    """
    base = base_normals(shape, LOW)
    position = shape.position_map()
    low = resample(position, LOW)
    confidence = _confidence(low, base @ shape.rotation.T, projection, crop, rgb.shape)
    if parts is not None:
        confidence *= parts.face_at(low)
    photo = PhotoTexels(normal, shape.rotation, rgb, crop, size, gain=gain)
    own_color, own_normal = photo.coarse_colors(low), photo.normals(low)
    mask = cv2.resize(face_texels().astype(np.float32), (LOW, LOW), interpolation=cv2.INTER_LINEAR)
    match = match_sides(own_color, own_normal, base, confidence)
    grids = [
        np.dstack([confidence, np.clip(2 * confidence[:, ::-1], 0, 1), mask]),
        base,
        fill_gaps(own_color, confidence),
        smooth_difference(own_normal - base, confidence),
    ]
    smooth = [grid.astype(np.float32) for grid in grids]
    textures = empty_textures(size)

    def fill(rows: slice) -> None:
        weights, below, around, offset = (upsample_rows(grid, size, rows) for grid in smooth)
        sure = np.clip(weights[..., 0], 0, 1)
        below = normalize(below)
        at = resample(position[..., :2], size, rows)
        share = np.clip(weights, 0, 1)[..., [0, 1, 0, 1]]
        texels = TexelBand(rows, slice(0, size), at, share, below, normalize(below + offset), around)
        normal, color = completed(texels, photo, match, size)
        textures.normal[rows], textures.color[rows] = normalize(normal), to_bytes(color)
        textures.confidence[rows] = sure * (weights[..., 2] > 0.5)

    each_band(size, fill)
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
    angle = smoothstep(GRAZING, FACING, facing)
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
