# SPDX-License-Identifier: GPL-3.0-or-later
"""The coarse network: photo -> exemplar normal R (stage 1), an image-to-image network with skips."""

import itertools
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from hffne.networks.blocks import Down, Residual, conv, full_precision, standardize, unit, up2, with_coordinates


class CoarseNetwork(nn.Module):
    """Gray crop (N, 1, S, S) in 0..1, S = 256 by default -> unit normals (N, 3, S, S) in camera space.

    Works at half the resolution and below, which is fast on a CPU; the last layer unfolds to full resolution and joins
    a narrow branch at full resolution that keeps the photo's edges.
    """

    def __init__(self, size: int = 256, widths: Sequence[int] = (24, 32, 56, 96, 144, 192), edges: int = 8) -> None:
        """size: the input crop's side in pixels, a multiple of 64."""
        super().__init__()
        self.input_size = size
        self.edges = conv(1, edges)
        self.stem = nn.Sequential(conv(3, widths[0], 5, 2), Residual(widths[0]))
        self.downs = nn.ModuleList([Down(i, o) for i, o in itertools.pairwise(widths)])
        self.bottom = Residual(widths[-1])
        self.ups = nn.ModuleList(
            [
                nn.Sequential(conv(o + i, i), *([Residual(i)] if i > widths[0] else []))
                for i, o in reversed(list(itertools.pairwise(widths)))
            ]
        )
        self.unfold = conv(widths[0], 4 * edges)
        self.out = nn.Conv2d(2 * edges, 3, 3, 1, 1)

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        """The exemplar normals of gray crops, see the class."""
        gray = standardize(gray)
        edges = self.edges(gray)
        x = self.stem(with_coordinates(gray))
        skips = []
        for down in self.downs:
            skips.append(x)
            x = down(x)
        x = self.bottom(x)
        for up in self.ups:
            x = up(torch.cat([up2(x), skips.pop()], 1))
        x = torch.cat([F.pixel_shuffle(self.unfold(x), 2), edges], 1)
        return unit(full_precision(self.out, x))
