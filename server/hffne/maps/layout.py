# SPDX-License-Identifier: GPL-3.0-or-later
"""What maps need of a UV layout: its surface, its regions, and how much of the sky its shape leaves open."""

from typing import Protocol

import numpy as np

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.uv import template
from hffne.maps.height import Relief
from hffne.maps.occlusion import shape_occlusion
from hffne.maps.uv_surface import UVSurface, uv_surface

# The side of the grid on which the mask's own shape is looked at.
SHAPE_SIZE = 128


class Layout(Protocol):
    """A face on the UV square of its textures."""

    @property
    def texels_per_pixel(self) -> float:
        """Texels of the relief's grid for each pixel of the crop, so that nothing finer than what was estimated."""

    @property
    def relief(self) -> Relief:
        """What counts as relief on this surface."""

    @property
    def regions(self) -> dict[str, np.ndarray]:
        """Regions of the face by name, (U, U) bool."""

    @property
    def mask(self) -> np.ndarray:
        """(U, U) float32: 1 on the face."""

    def surface(self, size: int) -> UVSurface:
        """The shape on a grid of size x size texels."""

    def shape_occlusion(self) -> np.ndarray:
        """Ambient occlusion (s, s) float32 0..1 by the shape alone, at a size of its own."""


class MaskLayout:
    """The Layout of the position map: one chart with the face alone."""

    texels_per_pixel = 2.0
    relief = Relief()

    def __init__(self, shape: BaseShape) -> None:
        self._shape = shape

    @property
    def regions(self) -> dict[str, np.ndarray]:
        """Regions of the face by name, (U, U) bool."""
        return template().regions

    @property
    def mask(self) -> np.ndarray:
        """(U, U) float32: 1 on the face."""
        return template().mask.astype(np.float32)

    def surface(self, size: int) -> UVSurface:
        """The base shape on a grid of size x size texels."""
        return uv_surface(self._shape, size)

    def shape_occlusion(self) -> np.ndarray:
        """Ambient occlusion (SHAPE_SIZE, SHAPE_SIZE) by the base shape."""
        return shape_occlusion(uv_surface(self._shape, SHAPE_SIZE))
