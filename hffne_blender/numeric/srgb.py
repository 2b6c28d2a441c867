# SPDX-License-Identifier: GPL-3.0-or-later
"""The sRGB transfer function (IEC 61966-2-1), both ways."""

import numpy as np


def to_linear(coded: np.ndarray) -> np.ndarray:
    """sRGB values 0..1 to linear light 0..1, float32."""
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def from_linear(light: np.ndarray) -> np.ndarray:
    """Linear light 0..1 to sRGB values 0..1."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
