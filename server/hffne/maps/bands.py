# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal texture's bands: what is left of it without its fine, and without its fine and medium relief.

Slopes add up where normals do not, so the bands are taken in slopes against the base surface
(as partial derivative blending does): fine = whole - medium, medium = medium - coarse.
"""

from hffne.geometry.grids import blur
from hffne.geometry.vectors import normalize
from hffne.maps.surface import at_size

# A Gaussian's sigma in meters: pores and the finest lines are below the first, folds above the second.
FINE, COARSE = 0.0015, 0.005


def bands(surface, normal):
    """Two object-space unit normals (S, S, 3) float32 on the Surface's grid: without fine, without fine and medium.

    normal: (T, T, 3) unit normals of the whole face, object space.
    """
    slope = surface.slope(normalize(at_size(normal, surface.size)))
    texel = surface.texel()
    weight = surface.mask + 1e-3
    return tuple(surface.lean(blur(slope, sigma / texel, weight)) for sigma in (FINE, COARSE))
