# SPDX-License-Identifier: GPL-3.0-or-later
"""The textures' colors without the photo's light."""

import numpy as np

from hffne.geometry.completion import each_band, upsample_rows
from hffne.geometry.unlit import DARK
from hffne.maps.uv_surface import resize_texture
from hffne.photo.colors import to_linear, to_srgb

# Light is smooth enough to be taken out at this many texels a side.
UNLIT_SIZE = 512


def albedo(color: np.ndarray, unlit: np.ndarray) -> np.ndarray:
    """The colors (T, T, 3) uint8 sRGB with the light taken out.

    unlit (s, s, 3) uint8 sRGB: the same texture without light, smaller; what it is darker or brighter by is the light.
    """
    if len(unlit) >= len(color):
        return resize_texture(unlit, len(color))
    lit = to_linear(resize_texture(color, len(unlit)))
    gain = (to_linear(unlit) + DARK) / (lit + DARK)
    result = np.empty_like(color)

    def fill(rows: slice) -> None:
        own = upsample_rows(gain, len(color), rows)
        result[rows] = to_srgb((to_linear(color[rows]) + DARK) * own - DARK)

    each_band(len(color), fill)
    return result
