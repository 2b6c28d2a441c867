# SPDX-License-Identifier: GPL-3.0-or-later
"""Rasterize triangles: which pixels each covers, with barycentric weights, and the nearest surface in each pixel."""

import numpy as np

# Pixels that are tested at once.
_CHUNK = 2_000_000


def covered_pixels(points: np.ndarray, triangles: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All (pixel, triangle, barycentric weights) where a pixel's center lies in a triangle.

    points (N, 2+): x, y in pixels; triangles (M, 3) indices of points -> pixel (P,), triangle (P,), weights (P, 3).
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
        corner_x, corner_y = x[owner].T - px, y[owner].T - py
        edge = np.empty((3, len(owner)), corner_x.dtype)
        for k, (one, other) in enumerate(((1, 2), (2, 0), (0, 1))):
            edge[k] = corner_x[one] * corner_y[other] - corner_x[other] * corner_y[one]
        edge /= area[owner]
        inside = (edge[0] >= -1e-5) & (edge[1] >= -1e-5) & (edge[2] >= -1e-5)
        pixels.append((py * size + px)[inside])
        owners.append(owner[inside])
        weights.append(np.ascontiguousarray(edge[:, inside].T, np.float32))
        start = stop
    return np.concatenate(pixels), np.concatenate(owners), np.concatenate(weights)


def nearest(pixel: np.ndarray, depth: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixels (H,) that are hit, and for each the index (H,) of the sample with the highest depth.

    pixel (P,) of size x size, several times each; depth (P,) to the viewer.
    """
    order = np.argsort(depth, kind="stable")
    # Of repeated indices the last assignment stays: the nearest to the viewer.
    winner = np.full(size * size, -1)
    winner[pixel[order]] = order
    hit = np.flatnonzero(winner >= 0)
    return hit, winner[hit]
