# SPDX-License-Identifier: GPL-3.0-or-later
"""The detail of a normal map as slopes, which can be scaled, filtered and faded."""

import numpy as np

from .resample import cubic

# A steeper slope is noise of a normal that lies almost in the surface.
STEEPEST = 4.0
# Levels of half the size are made down to about this many texels per side.
_SMALLEST_LEVEL = 16


class SlopeField:
    """Slopes (T, T, 2) over a texture, row 0 at v = 1: x / z and y / z of its tangent-space normals.

    normal    (T, T, 3) tangent-space unit normals
    strength  factor on the slopes
    largest   UV length: forms wider than this are left out (the target mesh has its own); 0 keeps all
    """

    def __init__(self, normal: np.ndarray, strength: float = 1.0, largest: float = 0.0):
        slopes = normal[..., :2] / np.maximum(normal[..., 2:], 1 / STEEPEST)
        slopes = np.clip(slopes, -STEEPEST, STEEPEST).astype(np.float32)
        if largest > 0:
            slopes = slopes - _blur(slopes, largest * len(slopes) / 2)
        self._levels = [slopes * strength]

    def slopes_at(self, uv: np.ndarray, step: float) -> np.ndarray:
        """Slopes (K, 2) at UV positions (K, 2), averaged over `step`, the UV length of a texel of the target."""
        return cubic(self._level(step), uv)

    def _level(self, step: float) -> np.ndarray:
        """The slopes, averaged to texels of about the UV length `step` (a mip level)."""
        wanted = max(0, int(np.floor(np.log2(max(step * len(self._levels[0]), 1)) + 0.25)))
        while (
            len(self._levels) <= wanted and len(self._levels[-1]) % 2 == 0 and len(self._levels[-1]) > _SMALLEST_LEVEL
        ):
            last = self._levels[-1]
            self._levels.append((last[::2, ::2] + last[1::2, ::2] + last[::2, 1::2] + last[1::2, 1::2]) / 4)
        return self._levels[min(wanted, len(self._levels) - 1)]


def _blur(values: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian of `sigma` texels, by Fourier transform; reflected at the border."""
    size, pad = len(values), min(len(values) - 1, int(3 * sigma) + 1)
    wide = np.pad(values, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
    frequency = np.fft.fftfreq(len(wide))[:, None] ** 2 + np.fft.rfftfreq(len(wide))[None] ** 2
    gain = np.exp(-2 * (np.pi * sigma) ** 2 * frequency)[..., None]
    blurred = np.fft.irfft2(np.fft.rfft2(wide, axes=(0, 1)) * gain, s=wide.shape[:2], axes=(0, 1))
    return blurred[pad : pad + size, pad : pad + size].astype(np.float32)
