# SPDX-License-Identifier: GPL-3.0-or-later
"""Rasterize the base shape into the crop: which pixels show the face, with which normal, from which texel."""

from dataclasses import dataclass

import numpy as np

from hffne.geometry.grids import surface_normals
from hffne.geometry.uv import face_texels
from hffne.photo.crop import CROP

# Pixels. The surface is so smooth that larger results are resampled from this size.
MAX_SIZE = 512
_CHUNK = 2_000_000


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
    pixel, triangle, weights = _covered_pixels(points, triangles, size)
    corners = triangles[triangle]
    depth_here = (points[corners, 2] * weights).sum(1)
    order = np.argsort(depth_here, kind="stable")
    # Of repeated indices the last assignment stays: the nearest to the viewer.
    winner = np.full(size * size, -1)
    winner[pixel[order]] = order
    hit = np.flatnonzero(winner >= 0)
    best = winner[hit]
    corners, weights = corners[best], weights[best][..., None]
    depth = np.full(size * size, -np.inf, np.float32)
    depth[hit] = depth_here[best]
    visible_normal = (normals[corners] * weights).sum(1)
    visible_normal /= np.maximum(np.linalg.norm(visible_normal, axis=1, keepdims=True), 1e-9)
    texel = (np.stack([corners % side, side - 1 - corners // side], 2) * weights).sum(1)
    outer = visible_normal[:, 2] > 0
    face = np.zeros(size * size, bool)
    normal = np.zeros((size * size, 3), np.float32)
    uv = np.zeros((size * size, 2), np.float32)
    face[hit] = outer
    normal[hit[outer]] = visible_normal[outer]
    uv[hit[outer]] = ((texel + 0.5) / side)[outer]
    return Projection(
        face.reshape(size, size), normal.reshape(size, size, 3), uv.reshape(size, size, 2), depth.reshape(size, size)
    )


def _covered_pixels(points: np.ndarray, triangles: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All (pixel, triangle, barycentric weights) where a pixel's center lies in a triangle.

    points (N, 3): x, y in pixels; triangles (M, 3) indices of points -> pixel (P,), triangle (P,), weights (P, 3).
    """
    x, y = points[triangles, 0], points[triangles, 1]
    left, top = (np.clip(np.ceil(v.min(1)), 0, size).astype(int) for v in (x, y))
    width, height = (
        np.clip(np.clip(np.floor(v.max(1)), -1, size - 1).astype(int) - low + 1, 0, None)
        for v, low in ((x, left), (y, top))
    )
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    count = np.where(np.abs(area) > 1e-9, width * height, 0)
    pixels, owners, weights = [], [], []
    ends = np.cumsum(count)
    start = 0
    while start < len(triangles):
        stop = max(start + 1, int(np.searchsorted(ends, (ends[start - 1] if start else 0) + _CHUNK)))
        many = count[start:stop]
        owner = np.repeat(np.arange(start, stop), many)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(many) - many, many)
        down, across = np.divmod(place, np.maximum(width[owner], 1))
        px, py = left[owner] + across, top[owner] + down
        dx, dy = x[owner] - px[:, None], y[owner] - py[:, None]
        edge = np.stack(
            [
                dx[:, 1] * dy[:, 2] - dx[:, 2] * dy[:, 1],
                dx[:, 2] * dy[:, 0] - dx[:, 0] * dy[:, 2],
                dx[:, 0] * dy[:, 1] - dx[:, 1] * dy[:, 0],
            ],
            1,
        )
        edge /= area[owner, None]
        inside = (edge >= -1e-5).all(1)
        pixels.append((py * size + px)[inside])
        owners.append(owner[inside])
        weights.append(edge[inside].astype(np.float32))
        start = stop
    return np.concatenate(pixels), np.concatenate(owners), np.concatenate(weights)
