# SPDX-License-Identifier: GPL-3.0-or-later
"""The relief of a face's normal map as slopes, which can be scaled, filtered and faded. No bpy here."""

import numpy as np

# A slope beyond this is noise of a normal that lies almost in the surface.
STEEPEST = 4.0


class Detail:
    """Slopes (T, T, 2) over a texture, row 0 at v = 1: x / z and y / z of its tangent-space normals.

    normal    (T, T, 3) tangent-space unit normals
    strength  factor on the slopes
    largest   UV lengths: forms wider than this are left out (the artist's own shape has
              them already); 0 keeps all
    """

    def __init__(self, normal, strength=1.0, largest=0.0):
        slopes = normal[..., :2] / np.maximum(normal[..., 2:], 1 / STEEPEST)
        slopes = np.clip(slopes, -STEEPEST, STEEPEST).astype(np.float32)
        if largest > 0:
            slopes = slopes - _blur(slopes, largest * len(slopes) / 2)
        self._levels = [slopes * strength]

    def slopes_at(self, uv, step):
        """Slopes (K, 2) at UV positions (K, 2); `step`: the UV length of the texel that takes them."""
        return sample(self._level(step), uv)

    def _level(self, step):
        """The slopes, averaged as far as the taker's texels are larger than ours."""
        wanted = max(0, int(np.floor(np.log2(max(step * len(self._levels[0]), 1)) + 0.25)))
        while len(self._levels) <= wanted and len(self._levels[-1]) % 2 == 0 and len(self._levels[-1]) > 16:
            last = self._levels[-1]
            self._levels.append((last[::2, ::2] + last[1::2, ::2] + last[::2, 1::2] + last[1::2, 1::2]) / 4)
        return self._levels[min(wanted, len(self._levels) - 1)]


def sample(texture, uv):
    """Cubic (Catmull-Rom) values (K, C) of a texture (T, T, C), row 0 at v = 1, at UVs (K, 2)."""
    size = len(texture)
    result = np.zeros((len(uv), texture.shape[2]))
    for start in range(0, len(uv), 1 << 18):
        part = slice(start, start + (1 << 18))
        x, y = uv[part, 0] * size - 0.5, (1 - uv[part, 1]) * size - 0.5
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        across, down = _cubic(x - left), _cubic(y - top)
        for i in range(4):
            row = np.clip(top + i - 1, 0, size - 1)
            for j in range(4):
                col = np.clip(left + j - 1, 0, size - 1)
                result[part] += texture[row, col] * (down[i] * across[j])[:, None]
    return result


def _cubic(t):
    return (
        (-t + 2 * t**2 - t**3) / 2,
        (2 - 5 * t**2 + 3 * t**3) / 2,
        (t + 4 * t**2 - 3 * t**3) / 2,
        (t**3 - t**2) / 2,
    )


def _blur(values, sigma):
    """A Gaussian of `sigma` texels, by Fourier transform; the rim is continued by reflection."""
    size, pad = len(values), min(len(values) - 1, int(3 * sigma) + 1)
    wide = np.pad(values, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
    frequency = np.fft.fftfreq(len(wide))[:, None] ** 2 + np.fft.rfftfreq(len(wide))[None] ** 2
    gain = np.exp(-2 * (np.pi * sigma) ** 2 * frequency)[..., None]
    blurred = np.fft.irfft2(np.fft.rfft2(wide, axes=(0, 1)) * gain, s=wide.shape[:2], axes=(0, 1))
    return blurred[pad : pad + size, pad : pad + size].astype(np.float32)
