# SPDX-License-Identifier: GPL-3.0-or-later
"""Rasterize triangles: which pixels each covers, with barycentric weights, and the nearest surface in each pixel."""

import numpy as np

# Pixels that are tested at once: what is computed of them stays in the processor's cache.
_CHUNK = 1 << 14


def covered_pixels(points: np.ndarray, triangles: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All (pixel, triangle, barycentric weights) where a pixel's center lies in a triangle.

    points (N, 2+): x, y in pixels; triangles (M, 3) indices of points -> pixel (P,), triangle (P,), weights (P, 3).
    """
    corners = np.ascontiguousarray(triangles.T)
    x, y = points[:, 0][corners], points[:, 1][corners]
    left, top = (np.clip(np.ceil(v.min(0)), 0, size).astype(np.int32) for v in (x, y))
    width, height = (
        np.clip(np.clip(np.floor(v.max(0)), -1, size - 1).astype(np.int32) - low + 1, 0, None)
        for v, low in ((x, left), (y, top))
    )
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    count = np.where(np.abs(area) > 1e-9, width * height, 0)
    x, y = x.astype(np.float64), y.astype(np.float64)
    pixels, owners, weights = [], [], []
    ends = np.cumsum(count, dtype=np.int64)
    first = ends - count
    start = 0
    while start < len(triangles):
        before = int(first[start])
        stop = max(start + 1, int(np.searchsorted(ends, before + _CHUNK)))
        owner = np.repeat(np.arange(start, stop), count[start:stop])
        place = np.arange(before, before + len(owner)) - first.take(owner)
        wide = width.take(owner)
        # The half keeps the division of whole numbers, which is slow as such, exact.
        down = ((place + 0.5) / wide).astype(np.int32)
        px, py = left.take(owner) + (place - down * wide), top.take(owner) + down
        corner_x, corner_y = ([v[k].take(owner) - at for k in range(3)] for v, at in ((x, px), (y, py)))
        whole = area.take(owner)
        edge = [
            (corner_x[one] * corner_y[other] - corner_x[other] * corner_y[one]) / whole
            for one, other in ((1, 2), (2, 0), (0, 1))
        ]
        inside = np.flatnonzero((edge[0] >= -1e-5) & (edge[1] >= -1e-5) & (edge[2] >= -1e-5))
        pixels.append((py * size + px)[inside])
        owners.append(owner[inside])
        weights.append(np.stack([share[inside] for share in edge], 1).astype(np.float32))
        start = stop
    return np.concatenate(pixels), np.concatenate(owners), np.concatenate(weights)


def interpolated(values: np.ndarray, corners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Values (N, ...) of points within triangles: (P, ...); corners (P, 3): the points; weights (P, 3)."""
    shape = (-1,) + (1,) * (values.ndim - 1)
    total: np.ndarray = values.take(corners[:, 0], 0) * weights[:, 0].reshape(shape)
    for k in (1, 2):
        total += values.take(corners[:, k], 0) * weights[:, k].reshape(shape)
    return total


def nearest(pixel: np.ndarray, depth: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixels (H,) that are hit, and for each the index (H,) of the sample with the highest depth.

    pixel (P,) of size x size, several times each; depth (P,) to the viewer.
    """
    winner = np.full(size * size, -1)
    winner[pixel] = np.arange(len(pixel))
    # Few pixels are hit several times, and only they need an order.
    several = np.flatnonzero(np.bincount(pixel, minlength=size * size).take(pixel) > 1)
    order = several[np.argsort(depth[several], kind="stable")]
    # Of repeated indices the last assignment stays: the nearest to the viewer.
    winner[pixel[order]] = order
    hit = np.flatnonzero(winner >= 0)
    return hit, winner[hit]
