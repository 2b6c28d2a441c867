# SPDX-License-Identifier: GPL-3.0-or-later
"""The coarse network: photo -> exemplar normal R (stage 1), an image-to-image network with skips."""

import torch
from torch import nn

from .blocks import conv, Down, full_precision, Residual, standardise, unit, up2, with_coordinates


class CoarseNetwork(nn.Module):
    """Grey crop (N, 1, 128, 128) in 0..1 -> unit normals (N, 3, 128, 128) in camera space."""

    input_size = 128

    def __init__(self, widths=(16, 32, 64, 96, 144, 176)):
        super().__init__()
        self.stem = conv(3, widths[0])
        self.downs = nn.ModuleList([Down(i, o) for i, o in zip(widths, widths[1:])])
        self.bottom = Residual(widths[-1])
        self.ups = nn.ModuleList([nn.Sequential(conv(o + i, i), Residual(i))
                                  for i, o in reversed(list(zip(widths, widths[1:])))])
        self.out = nn.Conv2d(widths[0], 3, 3, 1, 1)

    def forward(self, grey):
        x = self.stem(with_coordinates(standardise(grey)))
        skips = []
        for down in self.downs:
            skips.append(x)
            x = down(x)
        x = self.bottom(x)
        for up in self.ups:
            x = up(torch.cat([up2(x), skips.pop()], 1))
        return unit(full_precision(self.out, x))
