# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triangle of a UV layout covers which texel."""

import numpy as np

from .uv_tiles import wrapped

# Texels written at once, which bounds the memory for a large texture.
_CHUNK = 1 << 20
# Tolerance: texels on a shared edge must not fall between two triangles.
_SLACK = 1e-6


def owners(triangles: np.ndarray, size: int) -> np.ndarray:
    """The triangle of each texel: (size * size,) int32, -1 where there is none, the last one where several overlap.

    triangles  (N, 3, 2) float, the corners' UVs; beyond 0..1 the texture repeats
    size       texels per side; texel (row, col) has its center at
               u = (col + 0.5) / size, v = 1 - (row + 0.5) / size
    """
    inside, source = wrapped(triangles)
    owner = _owners(inside, size)
    return owner if len(inside) == len(triangles) else np.where(owner < 0, -1, source[owner]).astype(np.int32)


def _owners(triangles: np.ndarray, size: int) -> np.ndarray:
    """`owners` of triangles within 0..1; what leaves that is cut off."""
    corners = pixel_corners(triangles, size)
    slope_x, slope_y, usable = weight_slopes(corners)
    low = np.clip(np.ceil(corners.min(axis=1) - _SLACK), 0, size).astype(np.int64)
    high = np.clip(np.floor(corners.max(axis=1) + _SLACK), -1, size - 1).astype(np.int64)
    rows = np.where(usable & (high >= low).all(axis=1), high[:, 1] - low[:, 1] + 1, 0)
    owner = np.full(size * size, -1, np.int32)
    # A triangle is a span of texels in each of its rows. As many triangles at once as _CHUNK allows.
    texels_before = np.cumsum(rows * np.maximum(high[:, 0] - low[:, 0] + 1, 1))
    start = 0
    while start < len(corners):
        done = texels_before[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(texels_before, done + _CHUNK, "right")))
        triangle = np.repeat(np.arange(start, end), rows[start:end])
        y = low[triangle, 1] + _counting(rows[start:end])
        left, right = _spans(corners, slope_x, slope_y, triangle, y, low[triangle, 0], high[triangle, 0])
        count = np.maximum(right - left + 1, 0)
        owner[np.repeat(y * size + left, count) + _counting(count)] = np.repeat(triangle, count)
        start = end
    return owner


def cover(triangles: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rasterize UV triangles into a square texture; the arguments are those of `owners`.

    Returns (texels, owners, weights): the flat indices of the covered texels (K,)
    int64, each once; the triangle of each (K,) int64; its barycentric weights
    (K, 3) float64, not negative.
    """
    inside, source = wrapped(triangles)
    owner_of = _owners(inside, size)
    texels = np.flatnonzero(owner_of >= 0)
    owner = owner_of[texels].astype(np.int64)
    corners = pixel_corners(inside, size)
    slope_x, slope_y, _ = weight_slopes(corners)
    row, col = np.divmod(texels, size)
    weights = (col - corners[owner, 0, 0])[:, None] * slope_x[owner]
    weights += (row - corners[owner, 0, 1])[:, None] * slope_y[owner]
    weights[:, 0] += 1
    np.clip(weights, 0, 1, out=weights)
    weights /= weights.sum(axis=1, keepdims=True)
    return texels, source[owner], weights


def pixel_corners(triangles: np.ndarray, size: int) -> np.ndarray:
    """UVs (N, 3, 2) to (column, row), float64; texel centers are at whole numbers."""
    corners = np.asarray(triangles, np.float64) * size - 0.5
    corners[..., 1] = size - 1 - corners[..., 1]
    return corners


def weight_slopes(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The change of the barycentric weights per column and per row of triangles (N, 3, 2).

    Returns two arrays (N, 3), and (N,) bool: False for a triangle without area. At the first corner the weights are
    (1, 0, 0).
    """
    edge_1, edge_2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = edge_1[:, 0] * edge_2[:, 1] - edge_1[:, 1] * edge_2[:, 0]
    usable = np.abs(area) > 1e-12
    scale = np.where(usable, 1 / np.where(usable, area, 1), 0)
    x = np.stack([edge_1[:, 1] - edge_2[:, 1], edge_2[:, 1], -edge_1[:, 1]], 1) * scale[:, None]
    y = np.stack([edge_2[:, 0] - edge_1[:, 0], -edge_2[:, 0], edge_1[:, 0]], 1) * scale[:, None]
    return x, y, usable


def _spans(
    corners: np.ndarray,
    slope_x: np.ndarray,
    slope_y: np.ndarray,
    triangle: np.ndarray,
    y: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The first and last column of each `triangle` (K,) in its row `y` (K,); right < left where it has none."""
    left, right = left.astype(np.float64), right.astype(np.float64)
    from_first = y - corners[triangle, 0, 1]
    for corner in range(3):
        # A weight is at least zero on one side of a straight line.
        slope = slope_x[triangle, corner]
        weight = slope_y[triangle, corner] * from_first + _SLACK
        if corner == 0:
            weight += 1
        level = slope == 0
        limit = corners[triangle, 0, 0] - weight / np.where(level, 1, slope)
        np.maximum(left, limit, out=left, where=slope > 0)
        np.minimum(right, limit, out=right, where=slope < 0)
        right[level & (weight < 0)] = -1
    return np.ceil(left).astype(np.int64), np.floor(right).astype(np.int64)


def _counting(counts: np.ndarray) -> np.ndarray:
    """0, 1, ... count - 1 for each count, concatenated."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - counts, counts)


def extend(values: np.ndarray, covered: np.ndarray, steps: int) -> None:
    """Extend the values at the border of the covered texels outwards, one texel per step.

    Texture filters and mip levels read across the border of a UV island; without a margin
    they mix in what lies beyond, which shows as a seam.

    values   (T, T, C) float, changed in place
    covered  (T, T) bool, changed in place to what holds a value afterwards
    """
    inner = np.zeros_like(covered)
    inner[1:-1, 1:-1] = covered[:-2, 1:-1] & covered[2:, 1:-1] & covered[1:-1, :-2] & covered[1:-1, 2:]
    border = np.nonzero(covered & ~inner)
    height, width = covered.shape
    around = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]
    for _ in range(steps):
        # Only texels that the last step reached have new neighbors.
        row = np.concatenate([border[0] - 1, border[0] + 1, border[0], border[0]])
        col = np.concatenate([border[1], border[1], border[1] - 1, border[1] + 1])
        inside = (row >= 0) & (row < height) & (col >= 0) & (col < width)
        row, col = row[inside], col[inside]
        free = ~covered[row, col]
        row, col = np.divmod(np.unique(row[free] * width + col[free]), width)
        if not len(row):
            return
        total = np.zeros((len(row), values.shape[2]))
        count = np.zeros((len(row), 1))
        for dy, dx in around:
            near_row, near_col = row + dy, col + dx
            valid = (near_row >= 0) & (near_row < height) & (near_col >= 0) & (near_col < width)
            near_row, near_col = np.clip(near_row, 0, height - 1), np.clip(near_col, 0, width - 1)
            valid &= covered[near_row, near_col]
            total += np.where(valid[:, None], values[near_row, near_col], 0)
            count += valid[:, None]
        values[row, col] = total / count
        covered[row, col] = True
        border = row, col
