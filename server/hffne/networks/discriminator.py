# SPDX-License-Identifier: GPL-3.0-or-later
"""The first stage's discriminator (pix2pix, Isola et al., CVPR 2017): real or generated, per 70 x 70 patch."""

import torch
from torch import nn


class PatchDiscriminator(nn.Module):
    """Gray face (N, 1, H, W) and normals (N, 3, H, W) -> one logit per patch (N, 1, H / 8 - 2, W / 8 - 2)."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(4, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        inputs = width
        for outputs, stride in ((2 * width, 2), (4 * width, 2), (8 * width, 1)):
            layers += [nn.Conv2d(inputs, outputs, 4, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
            inputs = outputs
        self.body = nn.Sequential(*layers, nn.Conv2d(inputs, 1, 4, 1, 1))

    def forward(self, gray: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
        """The logits, see the class."""
        return self.body(torch.cat([gray, normal], 1))
