# SPDX-License-Identifier: GPL-3.0-or-later
"""The textures of a face on a UV layout."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Textures:
    """The textures of a face.

    normal (T, T, 3) float32, object space, unit; color (T, T, 3) uint8 sRGB; confidence (T, T) float32 0..1.

    Row 0 is the top, v = 1. Outside of the face the textures are extrapolated smoothly, with confidence 0.
    """

    normal: np.ndarray
    color: np.ndarray
    confidence: np.ndarray


def empty_textures(size: int) -> Textures:
    """Uninitialized Textures of `size` texels a side, to be filled in bands of rows."""
    return Textures(
        np.empty((size, size, 3), np.float32), np.empty((size, size, 3), np.uint8), np.empty((size, size), np.float32)
    )
