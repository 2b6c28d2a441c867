# SPDX-License-Identifier: GPL-3.0-or-later
"""The published HFFNE network at its own widths; modules carry the names of its checkpoints' tensors.

The same parts as `coarse` and `fine`, written from the paper's description: an image-to-image generator for the
exemplar (stage 1), VGG19 features pooled to a vector (E_R), a U-shaped encoder and decoder with modulation (E_I, D_N).
"""

import torch
from torch import nn
from torch.nn import functional as F

from hffne.networks.blocks import unit
from hffne.networks.variants import Variant

VGG19 = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, 256, "pool", 512, 512, 512, 512, "pool", 512, 512)
VECTOR = 512


class PublishedCoarse(nn.Module):
    """Gray face (N, 1, 256, 256) in 0..1 -> unit exemplar normals (N, 3, 256, 256).

    `stochastic` leaves the dropout of the first two decoder stages on, as the published test runs have it.
    """

    input_size = 256

    def __init__(self, stochastic=False):
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

    def forward(self, gray):
        x, skips = self.conv1(gray), []
        for k in range(2, 9):
            skips.append(x)
            x = getattr(self, f"conv{k}")(F.leaky_relu(x, 0.2))
            if k < 8:
                x = getattr(self, f"conv{k}_bn")(x)
        for k in range(1, 8):
            x = getattr(self, f"deconv{k}_bn")(getattr(self, f"deconv{k}")(F.relu(x)))
            if k <= 2:
                x = F.dropout(x, 0.5, self.stochastic or self.training)
            x = torch.cat([x, skips.pop()], 1)
        return unit(torch.tanh(self.deconv8(F.relu(x))))


class PublishedExemplarEncoder(nn.Module):
    """E_R: exemplar normals (N, 3, H, W) in -1..1 -> vector z (N, 512): VGG19 to relu5_2, convolutions, pooling."""

    def __init__(self, head=True):
        super().__init__()
        layers, inputs = [], 3
        for width in VGG19:
            layers += (
                [nn.MaxPool2d(2)] if width == "pool" else [nn.Conv2d(inputs, width, 3, 1, 1), nn.ReLU(inplace=True)]
            )
            inputs = inputs if width == "pool" else width
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

    def forward(self, exemplar):
        return self.feature2vector(self.features(exemplar)).flatten(1)

    def features(self, exemplar):
        """The feature map (N, 512, H / 16, W / 16) that z is made of."""
        return self.vgg["vgg_feature"]((exemplar - self.mean) / self.deviation)


class _Modulation(nn.Module):
    """The modulated convolution (eq. 4-7); `SDFT` in the checkpoints."""

    def __init__(self, channels, kernel):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, channels, channels, kernel, kernel))
        self.modulation = nn.Conv2d(VECTOR, channels, 1)
        self.scale, self.padding = (channels * kernel * kernel) ** -0.5, kernel // 2

    def forward(self, x, z):
        style = self.modulation(z[:, :, None, None]) * self.scale
        energy = style[:, :, 0, 0].square() @ self.weight[0].square().sum((2, 3)).t()
        x = F.conv2d(x * style, self.weight[0], padding=self.padding)
        return x * torch.rsqrt(energy + 1e-8)[:, :, None, None]


class _Double(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.double_conv = nn.Sequential(*layers)


class _ResidualDown(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.bottle_conv = nn.Conv2d(inputs, outputs, 1)
        self.double_conv = nn.Sequential(
            nn.Conv2d(outputs, outputs, 3, 1, 1),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.2),
            nn.Conv2d(outputs, outputs, 3, 1, 1),
        )

    def forward(self, x):
        x = self.bottle_conv(x)
        return (x + self.double_conv(x)) * 0.5**0.5


class _Down(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(inputs, inputs, 4, 2, 1), nn.LeakyReLU(0.1), _ResidualDown(inputs, outputs))

    def forward(self, x):
        return self.main(x)


class _Up(nn.Module):
    """Double the map, join every fourth channel of the skip, modulate."""

    def __init__(self, inputs, outputs, kernel, variant):
        super().__init__()
        self.variant = variant
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, 2)
        joined = outputs + outputs // 4 + variant.skip_channels
        self.conv_cat = nn.Sequential(
            nn.Conv2d(joined, outputs, 1), nn.LeakyReLU(0.2), nn.Conv2d(outputs, outputs, 3, 1, 1), nn.LeakyReLU(0.2)
        )
        self.conv_s = nn.Conv2d(outputs, outputs, 1)
        self.SDFT = variant.convolution(outputs, kernel, VECTOR, lambda: _Modulation(outputs, kernel))

    def forward(self, x, skip, z):
        x = self.up(x)
        skip = self.variant.join_skip(skip[:, ::4], z)
        return self.SDFT(self.conv_cat(torch.cat([x, skip], 1)), z) + self.conv_s(x)


class PublishedDecoder(nn.Module):
    """E_I and D_N: gray face (N, 1, H, W) in 0..1 (multiples of 16) and what the variant takes of the exemplar, with
    the method z (N, 512) -> unit normals (N, 3, H, W)."""

    def __init__(self, variant):
        super().__init__()
        self.variant = variant
        if variant.architecture == "A2":
            self.join = nn.Conv2d(1024 + 512, 1024, 1)
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

    def forward(self, gray, z):
        skips = [self.inc.double_conv(gray)]
        for k in range(1, 5):
            skips.append(getattr(self, f"down{k}")(skips[-1]))
        x = skips.pop()
        if self.variant.architecture == "A2":
            x = self.join(torch.cat([x, F.interpolate(z, x.shape[2:], mode="bilinear")], 1))
        for k in range(1, 5):
            x = getattr(self, f"up{k}")(x, skips.pop(), z)
        return unit(torch.tanh(self.outc(x)))


class PublishedFine(nn.Module):
    """Gray face (N, 1, H, W) and exemplar (N, 3, 256, 256) -> unit normals (N, 3, H, W)."""

    def __init__(self, variant=None):
        super().__init__()
        self.variant = variant = variant or Variant()
        if variant.architecture != "A1":
            self.NormalEncoder = PublishedExemplarEncoder(head=variant.architecture == "A3")
        self.NormalDecoder = PublishedDecoder(variant)

    def forward(self, gray, exemplar):
        return self.normal(self.prepared(gray), self.vector(exemplar))

    # The same in steps, see FineNetwork.

    def prepared(self, gray):
        return gray

    def vector(self, exemplar):
        return self.variant.taken(exemplar, getattr(self, "NormalEncoder", None))

    def normal(self, part, z):
        return self.NormalDecoder(part, z)
