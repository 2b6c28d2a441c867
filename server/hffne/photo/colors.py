# SPDX-License-Identifier: GPL-3.0-or-later
"""sRGB and linear colors."""

import numpy as np

# Of linear sRGB.
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def to_linear(color: np.ndarray) -> np.ndarray:
    """Convert sRGB (..., 3), uint8 or float 0..1, to linear float32 0..1."""
    if color.dtype == np.uint8:
        return _LINEAR[color]
    return _decode(color.astype(np.float32))


def encoded(linear: np.ndarray) -> np.ndarray:
    """Linear float (..., 3) to sRGB float32 0..1."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear float (..., 3) to uint8 sRGB."""
    return (encoded(linear) * 255 + 0.5).astype(np.uint8)


def _decode(coded: np.ndarray) -> np.ndarray:
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _decode(np.arange(256, dtype=np.float32) / 255)
