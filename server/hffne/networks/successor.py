# SPDX-License-Identifier: GPL-3.0-or-later
"""The fine network of the paper's successor, "Face Normal Estimation from Rags to Riches" (FNR2R), as its published
code tells it: a VGG13 encoder with batch norms on the color face, five modulated levels, a small exemplar encoder.

Modules have the published names. Written from the code's description; nothing of it is copied.
"""

import torch
from torch import nn
from torch.nn import functional as F

from hffne.networks.blocks import unit
from hffne.networks.paper import PublishedModulation


def _double(inputs: int, outputs: int) -> list[nn.Module]:
    """Two convolutions, each with a batch norm."""
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv2d(width, outputs, 3, 1, 1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return layers


def _plain(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2), nn.ReLU(inplace=True))


class SuccessorExemplarEncoder(nn.Module):
    """Exemplar normals (N, 3, H, W) in -1..1 -> vector z (N, 4 width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(_plain(3, width, 3, 1), _plain(width, width, 3, 1))
        for k in (1, 2, 3):
            setattr(self, f"conv{k}", nn.Sequential(_plain(width, width, 5, 2), nn.Sequential(*_double(width, width))))
        self.toplayer = nn.Conv2d(width, 4 * width, 1)

    def forward(self, exemplar: torch.Tensor) -> torch.Tensor:
        """The vector z, see the class."""
        x = self.conv0(exemplar)
        for k in (1, 2, 3):
            x = getattr(self, f"conv{k}")(x)
        return self.toplayer(x.mean((2, 3), keepdim=True)).flatten(1)


class _Up(nn.Module):
    """Double the map bilinearly, join every fourth channel of the skip, modulate."""

    def __init__(self, below: int, skip: int, outputs: int, vector: int) -> None:
        super().__init__()
        self.conv_cat = nn.Sequential(
            nn.Conv2d(below + skip // 4, outputs, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(outputs, outputs, 3, 1, 1),
            nn.LeakyReLU(0.2),
        )
        self.conv_s = nn.Conv2d(below, outputs, 1)
        self.SDFT = PublishedModulation(outputs, 3, vector)

    def forward(self, x: torch.Tensor, skip: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return self.SDFT(self.conv_cat(torch.cat([x, skip[:, ::4]], 1)), z) + self.conv_s(x)


class SuccessorFineNetwork(nn.Module):
    """Color face (N, 3, H, W) in 0..1 and exemplar (N, 3, h, w) -> unit normals (N, 3, H, W).

    H and W are multiples of 32. A gray face (N, 1, H, W) is taken as a color one without color. width: of the first
    block, 64 as published.
    """

    aligned = False  # see Variant.aligned

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        widths = [width * k for k in (1, 2, 4, 8, 8)]
        inputs = 3
        for k, outputs in enumerate(widths, 1):
            pool = [nn.MaxPool2d(2)] if k > 1 else []
            setattr(self, f"block{k}", nn.Sequential(*pool, *_double(inputs, outputs)))
            inputs = outputs
        self.conv_bottleneck = nn.Sequential(*_double(inputs, inputs))
        self.NormFeat = SuccessorExemplarEncoder(width)
        below = inputs
        for k, (skip, outputs) in enumerate(zip(widths[::-1], [*widths[3::-1], width], strict=True), 1):
            setattr(self, f"up{k}", _Up(below, skip, outputs, 4 * width))
            below = outputs
        self.conv11 = nn.Conv2d(width, 3, 1)

    def forward(self, face: torch.Tensor, exemplar: torch.Tensor) -> torch.Tensor:
        """The normals, see the class."""
        return self.normal(self.prepared(face), self.vector(exemplar))

    # The same in steps, see FineNetwork.

    def prepared(self, face: torch.Tensor) -> torch.Tensor:
        """The face in three channels."""
        return face.expand(-1, 3, -1, -1)

    def vector(self, exemplar: torch.Tensor) -> torch.Tensor:
        """The exemplar's vector z."""
        return self.NormFeat(exemplar)

    def normal(self, part: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Unit normals (N, 3, h, w) of a part (N, 3, h, w) of the prepared picture."""
        x, skips = part, []
        for k in range(1, 6):
            x = getattr(self, f"block{k}")(x)
            skips.append(x)
        x = self.conv_bottleneck(F.max_pool2d(x, 2))
        for k in range(1, 6):
            x = getattr(self, f"up{k}")(x, skips.pop(), z)
        return unit(torch.tanh(self.conv11(x)))
