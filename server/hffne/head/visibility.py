# SPDX-License-Identifier: GPL-3.0-or-later
"""How well a photo shows each vertex of a posed head's skin."""

from functools import cache

import cv2
import numpy as np

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.face_parts import MARGIN
from hffne.geometry.grids import smoothstep
from hffne.geometry.rasterize import covered_pixels, nearest
from hffne.geometry.unwrap import (
    MAX_SLACK,
    OUTLINE,
    SLACK,
    SLOPE_SLACK,
    WORSE,
)
from hffne.head.graph import distance_from, levels
from hffne.head.model import PARTS, head_model
from hffne.head.skin import skin
from hffne.head.surface import HeadSurface
from hffne.photo.crop import CROP, Crop

# Cosine of the angle to the viewer at which the confidence is 0, and from which it is 1. More than the mask's: along
# the outline are the shadows of hair and pixels of the background, and there is skin to fill in.
_GRAZING, _FACING = 0.15, 0.50
# Parts that can hide the skin; the others are transparent, or within the eyes.
_OPAQUE = "Skin", "Mouth", "Gums and Tongue", "Teeth", "Eye Left", "Eye Right"
# Meters from the seam to the back of the head over which the photo fades out, and from those of lids and lips.
_BACK_FADE, _INNER_FADE = 0.02, 0.0015
# Rounds of smoothing over neighboring vertices.
_SOFTNESS = 3


def visibility(surface: HeadSurface, shape: BaseShape, crop: Crop, photo_shape: tuple[int, ...]) -> np.ndarray:
    """(n,) float32 of the skin's vertices: 0 turned away, hidden, off the photo, at a seam; 1 facing the camera."""
    at = shape.to_crop(surface.points)
    facing = (surface.normals @ shape.rotation.T.astype(np.float32))[:, 2]
    seen = smoothstep(_GRAZING, _FACING, facing)
    # The far cheek of a turned head: a few smeared pixels, while its twin faces the camera.
    behind = facing[skin().mirror] - facing
    seen *= np.clip((WORSE[1] - behind) / (WORSE[1] - WORSE[0]), 0, 1)
    depth = depth_buffer(surface.posed, shape)
    x, y = at[:, :1] + MARGIN, at[:, 1:2] + MARGIN
    front = cv2.remap(depth, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)[:, 0]
    slope = np.sqrt(np.clip(1 - facing**2, 0, 1)) / np.maximum(facing, 0.05)
    free = front - at[:, 2] < np.minimum(SLACK + SLOPE_SLACK * slope, MAX_SLACK)
    # The shape is not exact to the pixel, so the background bleeds in along the head's outline.
    covered = cv2.morphologyEx(np.isfinite(depth).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    inward = cv2.distanceTransform(cv2.copyMakeBorder(covered, 1, 1, 1, 1, cv2.BORDER_REPLICATE), cv2.DIST_L2, 5)
    inward = cv2.remap(inward[1:-1, 1:-1], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
    seen *= np.clip((inward - OUTLINE[0]) / (OUTLINE[1] - OUTLINE[0]), 0, 1)
    place = crop.resized(CROP).to_photo(at)
    height, width = photo_shape[:2]
    inside = (place[:, 0] > 0) & (place[:, 0] < width - 1) & (place[:, 1] > 0) & (place[:, 1] < height - 1)
    # A margin of the head may lie beside the wider crop too.
    inside &= (np.abs(at[:, :2] - (CROP - 1) / 2) < CROP / 2 + MARGIN - 1).all(1)
    graph = levels()[0]
    open_ = (free & inside).astype(np.float32)
    # Next to a hidden vertex nothing is certain, and never more than at the vertex itself.
    open_ = open_[graph.neighbors].min(1) * open_
    soft = np.clip(2 * graph.smoothed(open_[:, None], _SOFTNESS)[:, 0] - 1, 0, 1)
    return (seen * soft * seam_fade()).astype(np.float32)


def depth_buffer(posed: np.ndarray, shape: BaseShape) -> np.ndarray:
    """(D, D) float32 depth of the nearest outer side of the head, crop pixels of 256, on the crop with its MARGIN;
    -inf where nothing is."""
    mesh = head_model().mesh
    triangles = mesh.triangles[np.isin(mesh.triangle_parts, [PARTS.index(name) for name in _OPAQUE])]
    at = shape.to_crop(posed)
    at[:, :2] += MARGIN
    a, b, c = np.moveaxis(at[triangles][..., :2], 1, 0)
    # y is down: a counter-clockwise triangle has a negative area.
    outer = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) < (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    size = CROP + 2 * MARGIN
    triangles = triangles[outer]
    pixel, owner, weights = covered_pixels(at, triangles, size)
    depth = np.einsum("pk,pk->p", at[triangles[owner], 2], weights)
    hit, best = nearest(pixel, depth, size)
    result = np.full(size * size, -np.inf, np.float32)
    result[hit] = depth[best]
    return result.reshape(size, size)


@cache
def seam_fade() -> np.ndarray:
    """(n,) float32: 0 at the seams of the face's chart and beyond them, 1 well within it."""
    layout = skin()
    beyond = layout.chart > 0
    # Charts by size: the face's, two for the back of the head, two for the sockets.
    sockets = np.unique(layout.of_point[layout.chart > 2])
    back = np.unique(layout.of_point[beyond & (layout.chart <= 2)])
    mesh = head_model().mesh
    mouth = layout.inverse[np.unique(mesh.quads[mesh.quad_parts == PARTS.index("Mouth")])]
    inner = np.union1d(sockets, mouth[mouth >= 0])
    fade = smoothstep(0, _BACK_FADE, distance_from(back)) * smoothstep(0, _INNER_FADE, distance_from(inner))
    return fade.astype(np.float32)
