# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triangle of a UV layout covers which texel, with numpy alone. No bpy here."""

import numpy as np

# Candidates tested at once; keeps the memory of a large texture low.
_CHUNK = 1 << 20


def cover(triangles, size):
    """Rasterise UV triangles into a square texture.

    triangles  (N, 3, 2) float, the corners' UVs in 0..1
    size       texels a side; texel (row, col) has its centre at
               u = (col + 0.5) / size, v = 1 - (row + 0.5) / size

    Returns (texels, owners, weights): the flat indices of the covered texels (K,)
    int64, each once; the triangle of each (K,) int64; its barycentric weights
    (K, 3) float64, not negative.
    """
    corners = np.empty(np.shape(triangles), np.float64)
    corners[..., 0] = np.asarray(triangles)[..., 0] * size - 0.5
    corners[..., 1] = (1 - np.asarray(triangles)[..., 1]) * size - 0.5
    low = np.clip(np.ceil(corners.min(axis=1) - 1e-6), 0, size).astype(np.int64)
    high = np.clip(np.floor(corners.max(axis=1) + 1e-6), -1, size - 1).astype(np.int64)
    extent = (high - low + 1).max(axis=1)
    inside_any = (high >= low).all(axis=1)

    edge_1, edge_2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = edge_1[:, 0] * edge_2[:, 1] - edge_1[:, 1] * edge_2[:, 0]
    usable = inside_any & (np.abs(area) > 1e-12)

    owner_of = np.full(size * size, -1, np.int64)
    weights_of = np.zeros((size * size, 2))
    # Triangles of like size together, so that each is tested on a box that fits it.
    level = np.ceil(np.log2(np.maximum(extent, 1))).astype(int)
    for step in np.unique(level[usable]):
        box = 1 << int(step)
        offset_y, offset_x = (grid.ravel() for grid in np.mgrid[0:box, 0:box])
        members = np.flatnonzero(usable & (level == step))
        for start in range(0, len(members), max(1, _CHUNK // (box * box))):
            part = members[start : start + max(1, _CHUNK // (box * box))]
            x = low[part, 0, None] + offset_x
            y = low[part, 1, None] + offset_y
            dx, dy = x - corners[part, 0, 0, None], y - corners[part, 0, 1, None]
            second = (dx * edge_2[part, 1, None] - dy * edge_2[part, 0, None]) / area[part, None]
            third = (dy * edge_1[part, 0, None] - dx * edge_1[part, 1, None]) / area[part, None]
            # A little slack: texels on a shared edge must not fall between two triangles.
            hit = (second >= -1e-6) & (third >= -1e-6) & (second + third <= 1 + 1e-6)
            hit &= (x < size) & (y < size)
            texel = (y * size + x)[hit]
            owner_of[texel] = np.broadcast_to(part[:, None], hit.shape)[hit]
            weights_of[texel, 0] = second[hit]
            weights_of[texel, 1] = third[hit]
    texels = np.flatnonzero(owner_of >= 0)
    weights = np.empty((len(texels), 3))
    weights[:, 1:] = np.clip(weights_of[texels], 0, 1)
    weights[:, 0] = np.clip(1 - weights[:, 1] - weights[:, 2], 0, 1)
    weights /= weights.sum(axis=1, keepdims=True)
    return texels, owner_of[texels], weights


def grow(values, covered, steps):
    """Carry the values at the rim of the covered texels outwards, one texel a step.

    Texture filters and mip levels reach across a UV island's rim; without a margin
    they pull in what lies beyond, which shows as a seam.

    values   (T, T, C) float, changed in place
    covered  (T, T) bool, changed in place to what holds a value afterwards
    """
    size = len(covered)
    around = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]
    for _ in range(steps):
        reach = np.zeros_like(covered)
        reach[1:] |= covered[:-1]
        reach[:-1] |= covered[1:]
        reach[:, 1:] |= covered[:, :-1]
        reach[:, :-1] |= covered[:, 1:]
        row, col = np.nonzero(reach & ~covered)
        if not len(row):
            return
        total = np.zeros((len(row), values.shape[2]))
        count = np.zeros((len(row), 1))
        for dy, dx in around:
            near_row, near_col = row + dy, col + dx
            valid = (near_row >= 0) & (near_row < size) & (near_col >= 0) & (near_col < size)
            near_row, near_col = np.clip(near_row, 0, size - 1), np.clip(near_col, 0, size - 1)
            valid &= covered[near_row, near_col]
            total += np.where(valid[:, None], values[near_row, near_col], 0)
            count += valid[:, None]
        values[row, col] = total / count
        covered[row, col] = True
