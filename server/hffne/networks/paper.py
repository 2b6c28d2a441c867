# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's network at the published widths; modules have the names of the published checkpoints' tensors.

The same parts as `coarse` and `fine`, written from the paper's description: an image-to-image generator for the
exemplar (stage 1), VGG19 features pooled to a vector (E_R), a U-shaped encoder and decoder with modulation (E_I, D_N).
"""

import torch
from torch import nn
from torch.nn import functional as F

from hffne.networks.blocks import unit
from hffne.networks.variants import Variant

# The widths of VGG19's convolutions up to relu5_2; POOL stands for a pooling layer.
POOL = 0
VGG19 = (64, 64, POOL, 128, 128, POOL, 256, 256, 256, 256, POOL, 512, 512, 512, 512, POOL, 512, 512)
VECTOR = 512


class PaperCoarseNetwork(nn.Module):
    """Gray face (N, 1, 256, 256) in 0..1 -> unit exemplar normals (N, 3, 256, 256).

    stochastic: keep the dropout of the first three decoder stages on, as in the published test runs.
    """

    input_size = 256
    conv1: nn.Module
    deconv8: nn.Module

    def __init__(self, stochastic: bool = False) -> None:
        super().__init__()
        self.stochastic = stochastic
        down = (1, 64, 128, 256, 512, 512, 512, 512, 512)
        up = (512, 512, 512, 512, 512, 256, 128, 64, 3)
        for k in range(1, 9):
            setattr(self, f"conv{k}", nn.Conv2d(down[k - 1], down[k], 4, 2, 1))
            inputs = up[k - 1] if k == 1 else 2 * up[k - 1]
            setattr(self, f"deconv{k}", nn.ConvTranspose2d(inputs, up[k], 4, 2, 1))
            if 2 <= k <= 7:
                setattr(self, f"conv{k}_bn", nn.BatchNorm2d(down[k]))
            if k <= 7:
                setattr(self, f"deconv{k}_bn", nn.BatchNorm2d(up[k]))

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        """The exemplar normals of gray faces, see the class."""
        x = self.conv1(gray)
        skips: list[torch.Tensor] = []
        for k in range(2, 9):
            skips.append(x)
            x = getattr(self, f"conv{k}")(F.leaky_relu(x, 0.2))
            if k < 8:
                x = getattr(self, f"conv{k}_bn")(x)
        for k in range(1, 8):
            x = getattr(self, f"deconv{k}_bn")(getattr(self, f"deconv{k}")(F.relu(x)))
            if k <= 3:
                x = F.dropout(x, 0.5, self.stochastic or self.training)
            x = torch.cat([x, skips.pop()], 1)
        return unit(torch.tanh(self.deconv8(F.relu(x))))


class PaperExemplarEncoder(nn.Module):
    """E_R: exemplar normals (N, 3, H, W) in -1..1 -> vector z (N, 512): VGG19 to relu5_2, convolutions, pooling."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, head: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for width in VGG19:
            if width == POOL:
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(inputs, width, 3, 1, 1), nn.ReLU(inplace=True)]
                inputs = width
        self.vgg = nn.ModuleDict({"vgg_feature": nn.Sequential(*layers)})
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)
        if not head:
            return
        body = [
            [nn.Conv2d(512, 512, 4, 2, 2), nn.LeakyReLU(0.2), nn.Conv2d(512, 512, 3, 1, 1), nn.LeakyReLU(0.2)]
            for _ in range(2)
        ]
        self.feature2vector = nn.Sequential(
            *body[0],
            *body[1],
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(512, 256, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(256, 256, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(256, VECTOR, 1),
        )

    def forward(self, exemplar: torch.Tensor) -> torch.Tensor:
        """The vector z, see the class."""
        return self.feature2vector(self.features(exemplar)).flatten(1)

    def features(self, exemplar: torch.Tensor) -> torch.Tensor:
        """The feature map (N, 512, H / 16, W / 16) from which z is pooled."""
        return self.vgg["vgg_feature"]((exemplar - self.mean) / self.deviation)


class PublishedModulation(nn.Module):
    """The modulated convolution (eq. 4-7) by z (N, vector); `SDFT` in the checkpoints."""

    def __init__(self, channels: int, kernel: int, vector: int = VECTOR) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, channels, channels, kernel, kernel))
        self.modulation = nn.Conv2d(vector, channels, 1)
        self.scale, self.padding = (channels * kernel * kernel) ** -0.5, kernel // 2

    def forward(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Features (N, C, H, W) and vectors (N, Z) to features."""
        style = self.modulation(z[:, :, None, None]) * self.scale
        energy = style[:, :, 0, 0].square() @ self.weight[0].square().sum((2, 3)).t()
        x = F.conv2d(x * style, self.weight[0], padding=self.padding)
        return x * torch.rsqrt(energy + 1e-8)[:, :, None, None]


class _Double(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.double_conv = nn.Sequential(*layers)


class _ResidualDown(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.bottle_conv = nn.Conv2d(inputs, outputs, 1)
        self.double_conv = nn.Sequential(
            nn.Conv2d(outputs, outputs, 3, 1, 1),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.2),
            nn.Conv2d(outputs, outputs, 3, 1, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.bottle_conv(x)
        return (x + self.double_conv(x)) * 0.5**0.5


class _Down(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(inputs, inputs, 4, 2, 1), nn.LeakyReLU(0.1), _ResidualDown(inputs, outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.main(x)


class _Up(nn.Module):
    """Double the map, join every fourth channel of the skip, modulate."""

    def __init__(self, inputs: int, outputs: int, kernel: int, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, 2)
        joined = outputs + outputs // 4 + variant.skip_channels
        self.conv_cat = nn.Sequential(
            nn.Conv2d(joined, outputs, 1), nn.LeakyReLU(0.2), nn.Conv2d(outputs, outputs, 3, 1, 1), nn.LeakyReLU(0.2)
        )
        self.conv_s = nn.Conv2d(outputs, outputs, 1)
        self.SDFT = variant.convolution(outputs, kernel, VECTOR, lambda: PublishedModulation(outputs, kernel))

    def forward(self, x: torch.Tensor, skip: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        x = self.up(x)
        skip = self.variant.join_skip(skip[:, ::4], z)
        return self.SDFT(self.conv_cat(torch.cat([x, skip], 1)), z) + self.conv_s(x)


class PaperDecoder(nn.Module):
    """E_I and D_N: gray face and the variant's input of the exemplar -> unit normals (N, 3, H, W).

    gray: (N, 1, H, W) in 0..1, H and W multiples of 16. The input of the exemplar is z (N, 512) with A3, the method.
    """

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        self.join = variant.bottom(1024, 512, lambda: nn.Conv2d(1024 + 512, 1024, 1))
        self.inc = _Double(
            nn.Conv2d(1, 64, 3, 1, 1),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(0.1),
            nn.Conv2d(64, 64, 3, 1, 1),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(0.1),
        )
        widths = (64, 128, 256, 512, 1024)
        for k in range(1, 5):
            setattr(self, f"down{k}", _Down(widths[k - 1], widths[k]))
            setattr(self, f"up{k}", _Up(widths[5 - k], widths[4 - k], (3, 3, 5, 5)[k - 1], variant))
        self.outc = nn.Sequential(nn.Conv2d(64, 64, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(64, 3, 3, 1, 1))

    def forward(self, gray: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """The normals, see the class."""
        skips = [self.inc.double_conv(gray)]
        for k in range(1, 5):
            skips.append(getattr(self, f"down{k}")(skips[-1]))
        x = self.variant.join_bottom(skips.pop(), z, self.join)
        for k in range(1, 5):
            x = getattr(self, f"up{k}")(x, skips.pop(), z)
        return unit(torch.tanh(self.outc(x)))


class PaperFineNetwork(nn.Module):
    """Gray face (N, 1, H, W) and exemplar (N, 3, 256, 256) -> unit normals (N, 3, H, W)."""

    def __init__(self, variant: Variant | None = None) -> None:
        super().__init__()
        self.variant = variant = variant or Variant()
        self.aligned = variant.aligned
        if variant.encodes:
            self.NormalEncoder = PaperExemplarEncoder(head=variant.architecture == "A3")
        self.NormalDecoder = PaperDecoder(variant)

    def forward(self, gray: torch.Tensor, exemplar: torch.Tensor) -> torch.Tensor:
        """The normals, see the class."""
        return self.normal(self.prepared(gray), self.vector(exemplar))

    # The same in steps, see FineNetwork.

    def prepared(self, gray: torch.Tensor) -> torch.Tensor:
        """The preprocessing of the whole picture: none."""
        return gray

    def vector(self, exemplar: torch.Tensor) -> torch.Tensor:
        """The exemplar's vector z (N, 512), or what replaces it."""
        return self.variant.decoder_input(exemplar, getattr(self, "NormalEncoder", None))

    def normal(self, part: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Unit normals (N, 3, h, w) of a part (N, 1, h, w) of the picture."""
        return self.NormalDecoder(part, z)
