# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal texture without its fine relief, and without its fine and medium relief.

Slopes add up where normals do not, so the bands are taken in slopes against the base surface
(as partial derivative blending does): fine = whole - medium, medium = medium - coarse.
"""

import numpy as np

from hffne.geometry.grids import blur
from hffne.geometry.vectors import normalize
from hffne.maps.uv_surface import UVSurface, resize_texture

# A Gaussian's sigma in meters: pores and the finest lines are below the first, folds above the second.
FINE, COARSE = 0.0015, 0.005


def bands(surface: UVSurface, normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two object-space unit normals (S, S, 3) float32 on the surface's grid: without fine relief, and without
    fine and medium relief.

    normal: (T, T, 3) unit normals of the whole face, object space.
    """
    slope = surface.slope(normalize(resize_texture(normal, surface.size)))
    texel = surface.texel
    weight = surface.mask + 1e-3
    medium, coarse = (surface.normal_of(blur(slope, sigma / texel, weight)) for sigma in (FINE, COARSE))
    return medium, coarse
