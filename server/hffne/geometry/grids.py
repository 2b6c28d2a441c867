# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on UV grids: cubic resampling with derivatives, sampling, normals, Gaussian means, filling of gaps."""

from functools import lru_cache

import cv2
import numpy as np

from hffne.geometry.vectors import normalize


def resample(grid: np.ndarray, size: int, rows: slice | None = None, derivative: str | None = None) -> np.ndarray:
    """A UV grid (U, U, C) at another resolution: (size, size, C) float32.

    size: texels of the new grid's side; rows: only these of its rows (bands keep memory small);
    derivative: "row" or "column" gives the change per texel of the *old* grid in that direction.
    Interpolates (Catmull-Rom) and extrapolates linearly beyond the outermost texel centers.
    OpenCV's resize is not used: it flattens the rim and rounds positions to 1/32 texel in remap.
    """
    side = grid.shape[0]
    down = _weights(side, size, derivative == "row")
    across = _weights(side, size, derivative == "column")
    if rows is not None:
        down = down[rows]
    flat = down @ np.ascontiguousarray(grid, np.float32).reshape(side, -1)
    return np.matmul(across, flat.reshape(len(down), side, -1))


@lru_cache(maxsize=32)
def _weights(side: int, size: int, derivative: bool) -> np.ndarray:
    """The (size, side) float32 resampling matrix of one axis."""
    at = (np.arange(size) + 0.5) * side / size - 0.5
    first = np.clip(np.floor(at), 0, side - 2).astype(int)
    t = at - first
    inside = (t >= 0) & (t <= 1)
    t2, t3 = t * t, t * t * t
    if derivative:
        cubic = [(-3 * t2 + 4 * t - 1) / 2, (9 * t2 - 10 * t) / 2, (-9 * t2 + 8 * t + 1) / 2, (3 * t2 - 2 * t) / 2]
        line = [0 * t, 0 * t - 1, 0 * t + 1, 0 * t]
    else:
        cubic = [(-t3 + 2 * t2 - t) / 2, (3 * t3 - 5 * t2 + 2) / 2, (-3 * t3 + 4 * t2 + t) / 2, (t3 - t2) / 2]
        line = [0 * t, 1 - t, t, 0 * t]
    matrix = np.zeros((size, side))
    everywhere = np.arange(size)
    for k in range(4):
        weight = np.where(inside, cubic[k], line[k])
        column = first + k - 1
        below, above = column < 0, column >= side
        # The texel before the first one is 2 * first - second, and so at the other end.
        np.add.at(matrix, (everywhere, np.clip(column, 0, side - 1)), np.where(below | above, 2, 1) * weight)
        np.add.at(matrix, (everywhere[below], 1), -weight[below])
        np.add.at(matrix, (everywhere[above], side - 2), -weight[above])
    return matrix.astype(np.float32)


def sample(grid: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Bilinear values (N, C) of a grid (U, U, C) at (row, column) positions (N, 2), clamped to the grid."""
    rows = np.clip(at[:, 0], 0, grid.shape[0] - 1)
    columns = np.clip(at[:, 1], 0, grid.shape[1] - 1)
    r = np.minimum(rows.astype(int), grid.shape[0] - 2)
    c = np.minimum(columns.astype(int), grid.shape[1] - 2)
    a, b = (rows - r)[:, None], (columns - c)[:, None]
    return (grid[r, c] * (1 - b) + grid[r, c + 1] * b) * (1 - a) + (
        grid[r + 1, c] * (1 - b) + grid[r + 1, c + 1] * b
    ) * a


def surface_normals(points: np.ndarray, size: int | None = None, rows: slice | None = None) -> np.ndarray:
    """Unit normals (size, size, 3), outward, of a UV grid of points (U, U, 3) in a right-handed y-up or object frame.

    rows: only these rows of the result.
    """
    size = size or len(points)
    right = resample(points, size, rows, "column")
    down = resample(points, size, rows, "row")
    return normalize(np.cross(down, right))


def blur(values: np.ndarray, sigma: float, weight: np.ndarray | None = None) -> np.ndarray:
    """Gaussian mean of (H, W[, C]) float32, sigma in texels; with `weight` (H, W), of the weighted texels only."""
    if weight is None:
        return cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    weight = weight.astype(np.float32)
    expanded = weight if values.ndim == 2 else weight[..., None]
    total = cv2.GaussianBlur(values * expanded, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    count = cv2.GaussianBlur(weight, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    count = np.maximum(count, 1e-6)
    return total / (count if values.ndim == 2 else count[..., None])


def fill_gaps(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Values (H, W, C) where `weight` (H, W) in 0..1 is 1, smoothly extrapolated to where it is 0.

    An image pyramid: each gap takes the mean of the known values around it, at the finest scale that has any.
    """
    if min(values.shape[:2]) <= 2:
        total = max(float(weight.sum()), 1e-6)
        mean = (values * weight[..., None]).sum((0, 1)) / total
        return values * weight[..., None] + mean * (1 - weight[..., None])
    half = (max(1, values.shape[1] // 2), max(1, values.shape[0] // 2))
    product = cv2.resize(np.dstack([values * weight[..., None], weight]), half, interpolation=cv2.INTER_AREA)
    less = product[..., -1]
    small = product[..., :-1] / np.maximum(less, 1e-6)[..., None]
    small = fill_gaps(small, np.clip(less * 2, 0, 1))
    large = cv2.resize(small, (values.shape[1], values.shape[0]), interpolation=cv2.INTER_LINEAR)
    large = large.reshape(values.shape)
    return values * weight[..., None] + large * (1 - weight[..., None])


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """0 up to `low`, 1 from `high` on, smooth in between; low may be the greater one."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
