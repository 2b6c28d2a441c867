# SPDX-License-Identifier: GPL-3.0-or-later
"""The fine network: exemplar encoder E_R, face encoder E_I, modulated normal decoder D_N (equations 1-3)."""

import itertools
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from hffne.networks.blocks import Down, Residual, conv, full_precision, joined, standardize, unit, up2
from hffne.networks.modulation import ModulatedConv
from hffne.networks.variants import Variant

EXEMPLAR_SIZE = 64


class ExemplarEncoder(nn.Module):
    """E_R: exemplar normal R (N, 3, H, W) -> vector z (N, Z), so that the exemplar need not be aligned."""

    channels = 128  # of its feature map

    def __init__(self, vector: int = 128, head: bool = True) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(3, 24, 3, 2), Down(24, 48), Down(48, 96), Down(96, self.channels))
        if head:
            self.head = nn.Sequential(nn.Linear(128, vector), nn.LeakyReLU(0.1), nn.Linear(vector, vector))

    def forward(self, exemplar: torch.Tensor) -> torch.Tensor:
        """The vector z, see the class."""
        return self.head(self.features(exemplar).mean((2, 3)))

    def features(self, exemplar: torch.Tensor) -> torch.Tensor:
        """The feature map (N, 128, 4, 4) whose mean gives z."""
        return self.body(F.interpolate(exemplar, (EXEMPLAR_SIZE, EXEMPLAR_SIZE), mode="area"))


class FaceEncoder(nn.Module):
    """E_I: gray face (N, 1, H, W) -> features f_1..f_5 and the bottom, each half the size of the one before."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(1, widths[0]), conv(widths[0], widths[0]))
        self.downs = nn.ModuleList([Down(i, o) for i, o in itertools.pairwise(widths)])

    def forward(self, gray: torch.Tensor) -> list[torch.Tensor]:
        """The features, see the class."""
        features = [self.stem(gray)]
        for down in self.downs:
            features.append(down(features[-1]))
        return features


class UpBlock(nn.Module):
    """One decoder stage: join the skip, mix, modulate by z (eq. 3)."""

    def __init__(self, below: int, skip: int, vector: int, variant: Variant) -> None:
        super().__init__()
        self.mix = conv(below + skip + variant.skip_channels, skip)
        self.modulated = variant.convolution(skip, 3, vector, lambda: ModulatedConv(skip, skip, vector))
        self.bias = nn.Parameter(torch.zeros(1, skip, 1, 1))

    def forward(self, x: torch.Tensor, skip: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Features of twice the size, joined with the skip."""
        x = joined(self.mix, up2(x), skip)
        if torch.is_grad_enabled():
            return F.leaky_relu(self.modulated(x, z) + self.bias, 0.1) + x
        return F.leaky_relu_(self.modulated(x, z).add_(self.bias), 0.1).add_(x)  # in place: large maps are slow to make


class NormalDecoder(nn.Module):
    """D_N: features and the variant's input of the exemplar -> unit normals (N, 3, H, W) in camera space."""

    def __init__(self, widths: Sequence[int], vector: int, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        features = ExemplarEncoder.channels
        self.join = variant.bottom(widths[-1], features, lambda: conv(widths[-1] + features, widths[-1]))
        self.bottom = Residual(widths[-1])
        self.ups = nn.ModuleList(
            [UpBlock(o, i, vector, variant) for i, o in reversed(list(itertools.pairwise(widths)))]
        )
        self.out = nn.Conv2d(widths[0], 3, 3, 1, 1)

    def forward(self, features: list[torch.Tensor], z: torch.Tensor) -> torch.Tensor:
        """The normals, see the class. features: of FaceEncoder; z: of Variant.decoder_input."""
        *skips, x = features
        x = self.bottom(self.variant.join_bottom(x, z, self.join))
        for up in self.ups:
            x = up(x, self.variant.join_skip(skips.pop(), z), z)
        return unit(full_precision(self.out, x))


class FineNetwork(nn.Module):
    """Gray face (N, 1, H, W) in 0..1 (H, W multiples of 32) and exemplar (N, 3, h, w) -> unit normals (N, 3, H, W).

    The default `variant` is the method; its tensors' names are those of the shipped weights.
    """

    def __init__(
        self, widths: Sequence[int] = (12, 24, 48, 96, 144, 192), vector: int = 128, variant: Variant | None = None
    ) -> None:
        super().__init__()
        self.variant = variant = variant or Variant()
        self.aligned = variant.aligned
        if variant.encodes:
            self.exemplar = ExemplarEncoder(vector, head=variant.architecture == "A3")
        self.face = FaceEncoder(widths)
        self.decoder = NormalDecoder(widths, vector, variant)

    def forward(self, gray: torch.Tensor, exemplar: torch.Tensor, contrast: torch.Tensor | None = None) -> torch.Tensor:
        """The normals, see the class. contrast (N, 2): mean and deviation of the whole crop, where gray is a part."""
        return self.normal(self.prepared(gray, contrast), self.vector(exemplar))

    # The same in steps, for pictures that are computed in tiles.

    def prepared(self, gray: torch.Tensor, contrast: torch.Tensor | None = None) -> torch.Tensor:
        """The preprocessing of the whole picture, or by the whole's contrast of a part of it."""
        return standardize(gray, contrast)

    def vector(self, exemplar: torch.Tensor) -> torch.Tensor:
        """The exemplar's vector z (N, Z), one for the whole face; or what replaces it."""
        return self.variant.decoder_input(exemplar, getattr(self, "exemplar", None))

    def normal(self, part: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Unit normals (N, 3, h, w) of a part (N, 1, h, w) of the prepared picture."""
        return self.decoder(self.face(part), z)
