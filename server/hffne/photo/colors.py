# SPDX-License-Identifier: GPL-3.0-or-later
"""sRGB and linear colors."""

from functools import cache

import numpy as np

# Of linear sRGB.
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_STEPS = 1 << 14  # of a table from linear to sRGB: at most one code ends within a step


def to_linear(color: np.ndarray) -> np.ndarray:
    """Convert sRGB (..., 3), uint8 or float 0..1, to linear float32 0..1."""
    if color.dtype == np.uint8:
        return _LINEAR.take(color, mode="clip")
    return _decode(color.astype(np.float32))


def encoded(linear: np.ndarray) -> np.ndarray:
    """Linear float (..., 3) to sRGB float32 0..1."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear float (..., 3) to uint8 sRGB."""
    least, below = _codes()
    linear = np.clip(linear, 0, 1).astype(np.float32, copy=False)
    code = below[(linear * np.float32(_STEPS)).astype(np.uint16)]
    return np.asarray(code + (linear >= least[code]), np.uint8)


@cache
def _codes() -> tuple[np.ndarray, np.ndarray]:
    """The least linear value (256,) float32 that has the code after each code; the codes of all _STEPS."""
    low, high = (np.full(255, end, np.float32).view(np.int32) for end in (0, 1))
    for _ in range(31):  # by halves; floats that are not negative are in the order of their bits
        middle = (low + high) // 2
        reached = _rounded(middle.view(np.float32)) > np.arange(255)
        low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
    least = np.append(high.view(np.float32), np.float32(np.inf))
    return least, _rounded(np.arange(_STEPS + 1, dtype=np.float32) / _STEPS)


def _rounded(linear: np.ndarray) -> np.ndarray:
    return (encoded(linear) * 255 + 0.5).astype(np.uint8)


def _decode(coded: np.ndarray) -> np.ndarray:
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _decode(np.arange(256, dtype=np.float32) / 255)
