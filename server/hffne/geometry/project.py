# SPDX-License-Identifier: GPL-3.0-or-later
"""Rasterize the base shape into the crop: which pixels show the face, with which normal, from which texel."""

from dataclasses import dataclass

import numpy as np

from hffne.geometry.grids import surface_normals
from hffne.geometry.rasterize import covered_pixels, interpolated, nearest
from hffne.geometry.uv import face_texels
from hffne.geometry.vectors import normalize
from hffne.photo.crop import CROP

# Pixels. The surface is so smooth that larger results are resampled from this size.
MAX_SIZE = 512


@dataclass(frozen=True)
class Projection:
    """The visible part of the base shape on a crop of S x S pixels.

    mask (S, S) bool: the face's outer side; normal (S, S, 3) float32 camera space, zero outside of the mask;
    uv (S, S, 2) float32 (u right, v up, 0 outside); depth (S, S) float32 crop pixels of 256, to the viewer,
    -inf where nothing is; the depth holds the inner side of the surface too.
    """

    mask: np.ndarray
    normal: np.ndarray
    uv: np.ndarray
    depth: np.ndarray


def project(position: np.ndarray, size: int = CROP) -> Projection:
    """Rasterize a position map (U, U, 3) (crop pixels of 256) at size x size <= 512 pixels."""
    mask = face_texels()
    side = len(mask)
    points = position.astype(np.float32).copy()
    normals = surface_normals(points * np.array([1, -1, 1], np.float32)).reshape(-1, 3)
    scale = np.float32(size / CROP)
    points[..., :2] = (points[..., :2] + 0.5) * scale - 0.5
    points = points.reshape(-1, 3)
    cells = mask[1:, :-1] & mask[1:, 1:] & mask[:-1, 1:] & mask[:-1, :-1]
    r, c = np.nonzero(cells)
    low, high = (r + 1) * side + c, r * side + c
    triangles = np.concatenate([np.stack([low, low + 1, high + 1], 1), np.stack([low, high + 1, high], 1)])
    pixel, triangle, weights = covered_pixels(points, triangles, size)
    corners = triangles.take(triangle, 0)
    depth_here = interpolated(points[:, 2], corners, weights)
    hit, best = nearest(pixel, depth_here, size)
    corners, weights = corners.take(best, 0), weights.take(best, 0)
    depth = np.full(size * size, -np.inf, np.float32)
    depth[hit] = depth_here[best]
    visible_normal = normalize(interpolated(normals, corners, weights))
    place = np.stack([np.arange(side * side) % side, side - 1 - np.arange(side * side) // side], 1)
    texel = interpolated(place.astype(np.float64), corners, weights)
    outer = np.flatnonzero(visible_normal[:, 2] > 0)
    pixels = hit.take(outer)
    face = np.zeros(size * size, bool)
    normal = np.zeros((size * size, 3), np.float32)
    uv = np.zeros((size * size, 2), np.float32)
    face[pixels] = True
    normal[pixels] = visible_normal.take(outer, 0)
    uv[pixels] = (texel.take(outer, 0) + 0.5) / side
    return Projection(
        face.reshape(size, size), normal.reshape(size, size, 3), uv.reshape(size, size, 2), depth.reshape(size, size)
    )
