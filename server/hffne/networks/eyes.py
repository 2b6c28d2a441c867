# SPDX-License-Identifier: GPL-3.0-or-later
"""The eyes network: an eye from close up, and its coarse normals -> truer ones."""

import torch

from hffne.networks.blocks import unit
from hffne.networks.pixels import PixelNetwork


class EyesNetwork(PixelNetwork):
    """Pictures (N, 3, S, S) sRGB in 0..1 and unit normals (N, 3, S, S) -> unit normals (N, 3, S, S), camera space.

    The pictures are those of `geometry.eye_squares`, S = 128.
    """

    def __init__(self) -> None:
        super().__init__(3, 3)

    def forward(self, rgb: torch.Tensor, beside: torch.Tensor | None = None) -> torch.Tensor:
        """The normals of pictures, see the class; beside: their coarse normals."""
        assert beside is not None
        return unit(beside + super().forward(rgb, beside))
