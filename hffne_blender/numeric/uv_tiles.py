# SPDX-License-Identifier: GPL-3.0-or-later
"""UVs that leave the first tile: a texture that is not tiled repeats there, so they fall back into it."""

import numpy as np

# How far a corner may lie over a tile's edge and still belong to the tile.
_EDGE = 1e-6
# A triangle over more tiles than this along one axis is a mistake in the UV map, and is left where it is.
_MOST_TILES = 4


def tiles(uvs: np.ndarray) -> np.ndarray:
    """The tile (column, row) of each triangle's center, (N, 2) int64; (0, 0) for UVs that are not finite.

    uvs  (N, 3, 2)
    """
    center = np.asarray(uvs, np.float64).mean(axis=1)
    return np.floor(np.where(np.isfinite(center), np.clip(center, -1e6, 1e6), 0)).astype(np.int64)


def wrapped(uvs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (N, 3, 2) moved into the first tile: (uvs (M, 3, 2), their triangle (M,) int64).

    The first N are the triangles in their order; one over the edge of a tile comes once more for each further tile.
    """
    uvs = np.asarray(uvs)
    order = np.arange(len(uvs))
    if not len(uvs) or (uvs.min() >= -_EDGE and uvs.max() <= 1 + _EDGE):
        return uvs, order
    finite = np.isfinite(uvs).all(axis=(1, 2))
    safe = np.where(finite[:, None, None], np.clip(uvs, -1e6, 1e6), 0).astype(np.float64)
    low = np.floor(safe.min(axis=1) + _EDGE).astype(np.int64)
    high = np.maximum(np.ceil(safe.max(axis=1) - _EDGE).astype(np.int64) - 1, low)
    count = high - low + 1
    sane = finite & (count <= _MOST_TILES).all(axis=1)
    low[~sane], count[~sane] = 0, 1
    total = count.prod(axis=1)
    further = np.repeat(order, total - 1)
    source = np.concatenate([order, further])
    step = np.concatenate([np.zeros(len(order), np.int64), _counting(total - 1) + 1])
    offset = np.stack([step % count[source, 0], step // count[source, 0]], axis=1)
    return (uvs[source] - (low[source] + offset)[:, None]).astype(uvs.dtype), source


def _counting(counts: np.ndarray) -> np.ndarray:
    """0, 1, ... count - 1 for each count, concatenated."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
