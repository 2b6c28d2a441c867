# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks that see an eye, or the mouth, from close up: a picture and its coarse normals -> truer ones."""

import torch
from torch import nn

from hffne.networks.blocks import full_precision, unit
from hffne.networks.pixels import PixelNetwork

_FEATURES, _WIDTH = 8, 16  # what each pixel brings into the last layers, and their width


class FeatureNetwork(PixelNetwork):
    """Pictures (N, 3, S, S) sRGB in 0..1 and unit normals (N, 3, S, S) -> unit normals (N, 3, S, S), camera space.

    The pictures are those of `geometry.feature_squares`, S = 128. The last layers work at that size, for the edges of
    lids and lips are one to two pixels wide.
    """

    def __init__(self) -> None:
        super().__init__(3 + _FEATURES, 3)
        last = nn.Conv2d(_WIDTH, 3, 3, padding=1)
        self.edges = nn.Sequential(
            nn.Conv2d(9 + _FEATURES, _WIDTH, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1),
            nn.LeakyReLU(0.1),
            last,
        )
        for parameter in last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, rgb: torch.Tensor, beside: torch.Tensor | None = None) -> torch.Tensor:
        """The normals of pictures, see the class; beside: their coarse normals."""
        assert beside is not None
        values = super().forward(rgb, beside)
        broad = unit(beside + values[:, :3])
        pixels = torch.cat([2 * rgb - 1, beside, broad, values[:, 3:]], 1)
        return unit(broad + full_precision(self.edges, pixels))
