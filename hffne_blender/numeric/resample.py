# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of square textures (T, T, C), row 0 at v = 1: at UV positions, and at other sizes."""

import numpy as np

# Positions handled at once by `cubic`, which bounds its memory.
_CHUNK = 1 << 18


def cubic(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Cubic (Catmull-Rom) values (K, C) float64 of a texture (T, T, C) at UV positions (K, 2)."""
    size = len(texture)
    result = np.zeros((len(uv), texture.shape[2]))
    for start in range(0, len(uv), _CHUNK):
        part = slice(start, start + _CHUNK)
        x, y = uv[part, 0] * size - 0.5, (1 - uv[part, 1]) * size - 0.5
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        across, down = _cubic_weights(x - left), _cubic_weights(y - top)
        for i in range(4):
            row = np.clip(top + i - 1, 0, size - 1)
            for j in range(4):
                col = np.clip(left + j - 1, 0, size - 1)
                result[part] += texture[row, col] * (down[i] * across[j])[:, None]
    return result


def _cubic_weights(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return (
        (-t + 2 * t**2 - t**3) / 2,
        (2 - 5 * t**2 + 3 * t**3) / 2,
        (t + 4 * t**2 - 3 * t**3) / 2,
        (t**3 - t**2) / 2,
    )


def bilinear(texture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear values (K, C) of a texture (T, T, C) at UV positions (K, 2)."""
    size = len(texture)
    column = np.clip(uv[:, 0] * size - 0.5, 0, size - 1)
    row = np.clip((1 - uv[:, 1]) * size - 0.5, 0, size - 1)
    r, c = np.minimum(row.astype(int), size - 2), np.minimum(column.astype(int), size - 2)
    a, b = (row - r)[:, None], (column - c)[:, None]
    upper = texture[r, c] * (1 - b) + texture[r, c + 1] * b
    lower = texture[r + 1, c] * (1 - b) + texture[r + 1, c + 1] * b
    return upper * (1 - a) + lower * a


def linear_resize(texture: np.ndarray, size: int) -> np.ndarray:
    """A texture (S, S, C) at size x size, linear between texel centers, as a shader reads it."""
    side = len(texture)
    if side == size:
        return texture
    at = np.clip((np.arange(size) + 0.5) * side / size - 0.5, 0, side - 1)
    low = np.minimum(at.astype(int), max(side - 2, 0))
    share = (at - low).astype(np.float32)
    high = np.minimum(low + 1, side - 1)
    rows = texture[low] * (1 - share)[:, None, None] + texture[high] * share[:, None, None]
    return rows[:, low] * (1 - share)[None, :, None] + rows[:, high] * share[None, :, None]


def resize(texture: np.ndarray, size: int) -> np.ndarray:
    """A texture (S, S, C) at size x size: means of whole blocks where it shrinks evenly, then linear."""
    block = len(texture) // size
    if block > 1 and len(texture) % block == 0:
        side = len(texture) // block
        texture = texture.reshape(side, block, side, block, -1).mean((1, 3))
    return linear_resize(texture, size)
