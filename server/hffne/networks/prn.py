# SPDX-License-Identifier: GPL-3.0-or-later
"""The position map regression network (Feng et al., ECCV 2018), at the width that one CPU can train."""

import torch
from torch import nn

from .blocks import conv, Down, full_precision, Residual, standardise, up2, with_coordinates


class PositionMapNetwork(nn.Module):
    """Grey crop (N, 1, 128, 128) in 0..1 -> position map (N, 3, 128, 128) in -1..1 of the crop.

    x right, y down, z toward the viewer, all in halves of the crop's side. The network learns the
    difference from the mean face `mean` (3, 128, 128), which is stored with the weights.
    """

    input_size = 128

    def __init__(self, widths=(24, 48, 96, 160, 256)):
        super().__init__()
        a, b, c, d, e = widths
        self.register_buffer("mean", torch.zeros(3, 128, 128))
        self.encoder = nn.Sequential(conv(3, a, 5, 2), Down(a, b), Down(b, c), Down(c, d), Down(d, e), Residual(e))
        self.decoder = nn.ModuleList([
            nn.Sequential(conv(e, d), Residual(d)), nn.Sequential(conv(d, c), Residual(c)),
            nn.Sequential(conv(c, c // 2), Residual(c // 2)), conv(c // 2, b // 2), conv(b // 2, a // 2)])
        self.out = nn.Conv2d(a // 2, 3, 3, 1, 1)

    def forward(self, grey):
        x = self.encoder(with_coordinates(standardise(grey)))
        for block in self.decoder:
            x = block(up2(x))
        return self.mean + full_precision(self.out, x)
