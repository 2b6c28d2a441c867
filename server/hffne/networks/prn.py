# SPDX-License-Identifier: GPL-3.0-or-later
"""The position map regression network (Feng et al., ECCV 2018), at a width that one CPU can train.

Unlike the published one it does not regress the posed face pixel by pixel, but the head's pose and, in the
head's own frame, the face's difference from the mean. So a rotation of the head changes the pose's ten numbers,
not the whole map, and profiles can be learned from few samples.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from hffne.networks.blocks import Down, Residual, conv, full_precision, standardize, up2, with_coordinates


class PositionMapNetwork(nn.Module):
    """Gray crop (N, 1, 128, 128) in 0..1 -> position map (N, 3, 128, 128) in -1..1 of the crop.

    x right, y down, z toward the viewer, all in halves of the crop's side. `mean` (3, 128, 128), the mean face in the
    same unit and frame around its middle, is stored with the weights.
    """

    input_size = 128
    mean: torch.Tensor

    def __init__(self, widths: Sequence[int] = (24, 48, 96, 160, 256), vector: int = 320) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.register_buffer("mean", torch.zeros(3, 128, 128))
        self.encoder = nn.Sequential(
            conv(3, a, 5, 2),
            Down(a, b),
            Down(b, c),
            Residual(c),
            Down(c, d),
            Residual(d),
            Down(d, e),
            Residual(e),
            conv(e, 64, 1),
        )
        self.vector = nn.Sequential(nn.Flatten(), nn.Linear(64 * 16, vector), nn.BatchNorm1d(vector), nn.LeakyReLU(0.1))
        hidden, last = nn.Linear(vector, vector), nn.Linear(vector, 10)
        self.pose = nn.Sequential(hidden, nn.LeakyReLU(0.1), last)
        self.seed = nn.Sequential(nn.Linear(vector, 96 * 16), nn.LeakyReLU(0.1), nn.Unflatten(1, (96, 4, 4)))
        self.decoder = nn.ModuleList(
            [
                nn.Sequential(conv(96, 96), Residual(96)),
                nn.Sequential(conv(96, 64), Residual(64)),
                nn.Sequential(conv(64, 40), Residual(40)),
                conv(40, 24),
            ]
        )
        self.out = nn.Conv2d(24, 3, 3, 1, 1)
        with torch.no_grad():  # starts as the mean face, seen from the front
            last.weight.mul_(0.1)
            last.bias.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0, 0, 0, 0, 0]))
            self.out.weight.mul_(0.1)
            assert self.out.bias is not None
            self.out.bias.zero_()

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        """The position maps of gray crops, see the class."""
        vector = self.vector(self.encoder(with_coordinates(standardize(gray))))
        x = self.seed(vector)
        for block in self.decoder:
            x = block(up2(x))
        shape = self.mean + up2(full_precision(self.out, x)) * 0.3
        pose = full_precision(self.pose, vector)
        rotation, scale, place = rotation_of(pose[:, :6]), torch.exp(pose[:, 6]), pose[:, 7:]
        turned = (rotation * scale[:, None, None]) @ shape.flatten(2)
        return (turned + place[:, :, None]).view_as(shape)


def rotation_of(numbers: torch.Tensor) -> torch.Tensor:
    """Six numbers (N, 6) -> rotation matrices (N, 3, 3) by Gram-Schmidt (Zhou et al., CVPR 2019)."""
    first = F.normalize(numbers[:, :3], dim=1)
    second = F.normalize(numbers[:, 3:] - (first * numbers[:, 3:]).sum(1, keepdim=True) * first, dim=1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], 2)
