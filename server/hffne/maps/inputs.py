# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that maps are computed from, shared by several maps."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.maps.curvature import curvature
from hffne.maps.height import height
from hffne.maps.lighting import Light, estimate_light
from hffne.maps.uv_surface import UVSurface, resize_texture, uv_surface

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate
    from hffne.geometry.textures import Textures
    from hffne.photo.load import Photo

# The relief's grid has two texels for each pixel of the crop: nothing finer was estimated.
TEXELS_PER_PIXEL, MAX_SIZE = 2, 1024
SHAPE_SIZE = 128


class MapInputs:
    """A face, and what several maps need of it, computed when first used.

    photo, estimate, textures  the face's photo, FaceEstimate and Textures
    size                       T, the textures' side in texels
    grid                       S, the side of the relief's grid in texels
    """

    def __init__(self, photo: "Photo", estimate: "FaceEstimate", textures: "Textures") -> None:
        self.photo = photo
        self.estimate = estimate
        self.textures = textures
        self.size = len(textures.normal)
        grid = min(self.size, MAX_SIZE, TEXELS_PER_PIXEL * len(estimate.normal))
        # The cosine transform needs an even side.
        self.grid = grid - grid % 2

    @property
    def regions(self) -> dict[str, np.ndarray]:
        """Regions of the face by name, (U, U) bool."""
        return template().regions

    @cached_property
    def surface(self) -> UVSurface:
        """The base shape on the relief's grid."""
        return uv_surface(self.estimate.shape, self.grid)

    @cached_property
    def shape_surface(self) -> UVSurface:
        """The base shape on a coarse grid, for computations with the whole head."""
        return uv_surface(self.estimate.shape, min(SHAPE_SIZE, self.grid))

    @cached_property
    def normal(self) -> np.ndarray:
        """Unit normals (S, S, 3) float32, object space."""
        return normalize(resize_texture(self.textures.normal, self.grid)).astype(np.float32)

    @cached_property
    def curvature(self) -> np.ndarray:
        """Mean curvature (S, S) float32, 1/m."""
        return curvature(self.surface, self.normal)

    @cached_property
    def height(self) -> np.ndarray:
        """Height of the relief (S, S) float32, meters."""
        return height(self.surface, self.normal, resize_texture(self.textures.confidence, self.grid))

    @cached_property
    def light(self) -> Light:
        """The photo's light."""
        return estimate_light(self.textures, template().mask.astype(np.float32), self.regions)
