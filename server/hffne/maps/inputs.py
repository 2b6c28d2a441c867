# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that maps are computed from, shared by several maps."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hffne.geometry.vectors import normalize
from hffne.maps.curvature import curvature
from hffne.maps.height import Relief, height
from hffne.maps.layout import Layout, MaskLayout
from hffne.maps.uv_surface import UVSurface, resize_texture

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate
    from hffne.geometry.textures import Textures
    from hffne.photo.load import Photo

# The largest side of the relief's grid.
MAX_SIZE = 1024


class MapInputs:
    """A face, and what several maps need of it, computed when first used.

    photo, estimate, textures  the face's photo, FaceEstimate and Textures
    layout                     the face on the textures' UV square, by default the mask
    size                       T, the textures' side in texels
    unlit                      the textures' colors without light, by default with it
    grid                       S, the side of the relief's grid in texels
    """

    def __init__(
        self,
        photo: "Photo",
        estimate: "FaceEstimate",
        textures: "Textures",
        layout: Layout | None = None,
        unlit: Callable[[], np.ndarray] | None = None,
    ) -> None:
        self.photo = photo
        self.estimate = estimate
        self.textures = textures
        self._unlit = unlit
        self._height: Future[np.ndarray] | None = None
        self.layout = MaskLayout(estimate.shape) if layout is None else layout
        self.size = len(textures.normal)
        grid = min(self.size, MAX_SIZE, int(self.layout.texels_per_pixel * len(estimate.normal)))
        # The cosine transform needs an even side.
        self.grid = grid - grid % 2

    @property
    def regions(self) -> dict[str, np.ndarray]:
        """Regions of the face by name, (U, U) bool."""
        return self.layout.regions

    @cached_property
    def surface(self) -> UVSurface:
        """The shape on the relief's grid."""
        return self.layout.surface(self.grid)

    @cached_property
    def shape_occlusion(self) -> np.ndarray:
        """Ambient occlusion (s, s) float32 0..1 by the shape alone."""
        return self.layout.shape_occlusion()

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
        if self._height is None:
            return height(*self._height_needs())
        return self._height.result()

    def begin_height(self, beside: Executor) -> None:
        """Compute the height in another thread from now on; what needs it waits for it."""
        self._height = beside.submit(height, *self._height_needs())

    def _height_needs(self) -> tuple[UVSurface, np.ndarray, np.ndarray, Relief]:
        confidence = resize_texture(self.textures.confidence, self.grid)
        return self.surface, self.normal, confidence, self.layout.relief

    @cached_property
    def unlit(self) -> np.ndarray:
        """The textures' colors (s, s, 3) uint8 sRGB without the photo's light, at a size of their own."""
        return self.textures.color if self._unlit is None else self._unlit()
