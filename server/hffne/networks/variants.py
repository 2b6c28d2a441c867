# SPDX-License-Identifier: GPL-3.0-or-later
"""How the exemplar enters the normal decoder: the variants of the paper's ablation (its section 3.3 and Table 3).

The same choice for both configurations, `fine` (compact) and `paper`. Feature maps are (N, C, H, W), z is (N, Z).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from hffne.errors import VariantError

ARCHITECTURES = {
    "A1": "the exemplar itself is joined to every skip, resized; no vector",
    "A2": "the exemplar's feature map is joined to the face's at the bottom; no vector",
    "A3": "the exemplar's vector z modulates the decoder (the method)",
}
MODULATIONS = {
    "stylegan2": "z scales the convolution's weights, then they are demodulated (equations 4-7)",
    "adain": "z gives the mean and the deviation of each channel after instance normalization",
    "none": "z is joined to the features as constant channels",
}


@dataclass(frozen=True)
class Variant:
    """A variant of the fine network.

    architecture  a key of ARCHITECTURES
    modulation    a key of MODULATIONS; only A3 uses it

    Raises HffneError for a name that is not there.
    """

    architecture: str = "A3"
    modulation: str = "stylegan2"

    def __post_init__(self) -> None:
        for chosen, known in ((self.architecture, ARCHITECTURES), (self.modulation, MODULATIONS)):
            if chosen not in known:
                raise VariantError(f"There is no variant {chosen!r}.", hint=f"Choose one of {', '.join(known)}.")

    @property
    def skip_channels(self) -> int:
        """The number of channels added to each skip."""
        return 3 if self.architecture == "A1" else 0

    def decoder_input(self, exemplar: torch.Tensor, encoder: Any) -> torch.Tensor:
        """The decoder's second input for an exemplar (N, 3, h, w): itself (A1), its feature map (A2), or z (A3)."""
        if self.architecture == "A1":
            return exemplar
        return encoder.features(exemplar) if self.architecture == "A2" else encoder(exemplar)

    def join_skip(self, skip: torch.Tensor, exemplar: torch.Tensor) -> torch.Tensor:
        """The skip, with A1 joined with the exemplar. exemplar: of `decoder_input`."""
        if self.architecture != "A1":
            return skip
        # There is no antialiased resizing in bfloat16 on a CPU.
        small = F.interpolate(exemplar.float(), skip.shape[2:], mode="bilinear", antialias=True)
        return torch.cat([skip, small.to(skip)], 1)

    def convolution(self, channels: int, kernel: int, vector: int, modulated: Callable[[], nn.Module]) -> nn.Module:
        """A decoder stage's convolution, called with (x, z).

        modulated: creates the configuration's own StyleGAN2 layer.
        """
        if self.architecture != "A3":
            return JoinedConv(channels, kernel, 0)
        if self.modulation == "stylegan2":
            return modulated()
        return (AdaINConv if self.modulation == "adain" else JoinedConv)(channels, kernel, vector)


class AdaINConv(nn.Module):
    """A convolution, instance normalization, and z's own mean and deviation (Huang and Belongie, ICCV 2017)."""

    def __init__(self, channels: int, kernel: int, vector: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel, 1, kernel // 2, bias=False)
        self.linear = nn.Linear(vector, 2 * channels)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Features (N, C, H, W) and vectors (N, Z) to features."""
        scale, shift = self.linear(z)[:, :, None, None].chunk(2, 1)
        x = self.conv(x)
        # Not F.instance_norm: it refuses maps of one pixel.
        deviation, mean = torch.var_mean(x, (2, 3), keepdim=True, correction=0)
        return (x - mean) * torch.rsqrt(deviation + 1e-5) * (1 + scale) + shift


class JoinedConv(nn.Module):
    """A plain convolution of the features and, where it has one, of z as constant channels."""

    def __init__(self, channels: int, kernel: int, vector: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels + vector, channels, kernel, 1, kernel // 2, bias=False)
        self.vector = vector

    def forward(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Features (N, C, H, W) and vectors (N, Z) to features."""
        if self.vector:
            x = torch.cat([x, z[:, :, None, None].expand(-1, -1, *x.shape[2:]).to(x.dtype)], 1)
        return self.conv(x)
