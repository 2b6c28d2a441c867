# SPDX-License-Identifier: GPL-3.0-or-later
"""Color picture -> values for each of its pixels: an image-to-image network with skips.

Its encoder is the first half of EfficientNet-Lite0 (Tan & Le 2019), which can start from weights that were trained on
ImageNet: glasses, hats, hands and clothes are common there.
"""

import torch
from torch import nn
from torch.nn import functional as F

from hffne.networks.blocks import conv, full_precision, joined, up2

_EPSILON = 1e-3  # of the encoder's batch norms
# Of each encoder block: outputs, kernel, stride, expansion. A skip leaves before every halving.
_BLOCKS = (
    (16, 3, 1, 1),
    (24, 3, 2, 6),
    (24, 3, 1, 6),
    (40, 5, 2, 6),
    (40, 5, 1, 6),
    (80, 3, 2, 6),
    (80, 3, 1, 6),
    (80, 3, 1, 6),
    (112, 5, 1, 6),
    (112, 5, 1, 6),
    (112, 5, 1, 6),
)
_STEM, _DECODER = 32, (64, 40, 24)


class InvertedResidual(nn.Module):
    """Expand, convolve each channel alone, project (MobileNetV2, Sandler et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [nn.Conv2d(inputs, wide, 1, bias=False), nn.BatchNorm2d(wide, _EPSILON), nn.ReLU6(inplace=True)]
        layers += [
            nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False),
            nn.BatchNorm2d(wide, _EPSILON),
            nn.ReLU6(inplace=True),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs, _EPSILON),
        ]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features to features, of half the size where the stride is 2."""
        return x + self.layers(x) if self.residual else self.layers(x)


class PixelNetwork(nn.Module):
    """Pictures (N, 3, S, S) sRGB in 0..1, S a multiple of 16 -> `outputs` values for each pixel (N, outputs, S, S).

    Any size; at the scale of a crop of 256 pixels it is most exact.
    """

    def __init__(self, outputs: int, beside: int = 0) -> None:
        """beside: channels that come with a picture, about 1 in size."""
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3 + beside, _STEM, 3, 2, 1, bias=False),
            nn.BatchNorm2d(_STEM, _EPSILON),
            nn.ReLU6(inplace=True),
        )
        inputs = (_STEM, *(outputs for outputs, *_ in _BLOCKS))
        self.blocks = nn.ModuleList([InvertedResidual(inputs[k], *block) for k, block in enumerate(_BLOCKS)])
        skips = [inputs[k] for k, block in enumerate(_BLOCKS) if block[2] == 2]
        deep = inputs[-1]
        self.whole = nn.Sequential(nn.Linear(deep, deep), nn.LeakyReLU(0.1), nn.Linear(deep, deep))
        self.ups = nn.ModuleList()
        for skip, width in zip(reversed(skips), _DECODER, strict=True):
            self.ups.append(conv(deep + skip, width))
            deep = width
        self.out = nn.Conv2d(deep, 4 * outputs, 3, 1, 1)  # unfolded to full resolution

    def forward(self, rgb: torch.Tensor, beside: torch.Tensor | None = None) -> torch.Tensor:
        """The values of pictures, see the class; `beside` (N, B, S, S): what comes with them."""
        x = (rgb * 255 - 127) / 128
        x = self.stem(x if beside is None else torch.cat([x, beside], 1))
        skips = []
        for block, (_, _, stride, _) in zip(self.blocks, _BLOCKS, strict=True):
            if stride == 2:
                skips.append(x)
            x = block(x)
        x = x + self.whole(x.mean((2, 3)))[:, :, None, None]  # what the picture shows as a whole
        for up in self.ups:
            x = joined(up, up2(x), skips.pop())
        return F.pixel_shuffle(full_precision(self.out, x), 2)
