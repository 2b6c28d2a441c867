# SPDX-License-Identifier: GPL-3.0-or-later
"""How the exemplar enters the normal decoder: the paper's ablation (its section 3.3 and Table 3), and more of our own.

The same choice for both configurations, `fine` (compact) and `paper`. Feature maps are (N, C, H, W), z is (N, Z).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn import functional as F

from hffne.errors import VariantError
from hffne.networks.blocks import with_coordinates

_Layer = TypeVar("_Layer", bound=nn.Module)

ARCHITECTURES = {
    "A1": "the exemplar itself is joined to every skip, resized; no vector",
    "A2": "the exemplar's feature map is joined to the face's at the bottom; no vector",
    "A3": "the exemplar's vector z modulates the decoder (the method)",
    "attention": "the face's features at the bottom attend to the exemplar's feature map; no vector",
    "spatial": "the exemplar scales and offsets the decoder's features pixel by pixel; no vector",
    "alone": "no exemplar",
    "FNR2R": "the successor's network (networks.successor), modulated by z as A3",
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
    def encodes(self) -> bool:
        """Whether there is an exemplar encoder E_R; its head, which makes z, is there with A3 only."""
        return self.architecture in ("A2", "A3", "attention")

    @property
    def aligned(self) -> bool:
        """Whether exemplar and picture are laid on each other, so that no part of the picture can be computed alone."""
        return self.architecture in ("A1", "A2", "spatial")

    @property
    def skip_channels(self) -> int:
        """The number of channels added to each skip."""
        return 3 if self.architecture == "A1" else 0

    def decoder_input(self, exemplar: torch.Tensor, encoder: Any) -> torch.Tensor:
        """The decoder's second input for an exemplar (N, 3, h, w): its feature map (A2, attention), z (A3), or itself.

        encoder: E_R, or None without one.
        """
        if not self.encodes:
            return exemplar
        return encoder(exemplar) if self.architecture == "A3" else encoder.features(exemplar)

    def bottom(self, channels: int, features: int, joined: Callable[[], nn.Module]) -> nn.Module | None:
        """The layer that takes the exemplar's feature map in at the bottom, for `join_bottom`; None without one.

        features: channels of the map. joined: creates A2's own layer.
        """
        if self.architecture == "attention":
            return Attention(channels, features)
        return joined() if self.architecture == "A2" else None

    def join_bottom(self, x: torch.Tensor, exemplar: torch.Tensor, layer: nn.Module | None) -> torch.Tensor:
        """The features at the bottom with the exemplar's. exemplar: of `decoder_input`; layer: of `bottom`."""
        if layer is None:
            return x
        if self.architecture == "attention":
            return layer(x, exemplar)
        return layer(torch.cat([x, F.interpolate(exemplar, x.shape[2:], mode="bilinear")], 1))

    def join_skip(self, skip: torch.Tensor, exemplar: torch.Tensor) -> torch.Tensor:
        """The skip, with A1 joined with the exemplar. exemplar: of `decoder_input`."""
        return torch.cat([skip, _resized(exemplar, skip)], 1) if self.architecture == "A1" else skip

    def convolution(self, channels: int, kernel: int, vector: int, modulated: Callable[[], nn.Module]) -> nn.Module:
        """A decoder stage's convolution, called with (x, exemplar of `decoder_input`).

        modulated: creates the configuration's own StyleGAN2 layer.
        """
        if self.architecture == "spatial":
            return SpatialConv(channels, kernel)
        if self.architecture != "A3":
            return JoinedConv(channels, kernel, 0)
        if self.modulation == "stylegan2":
            return modulated()
        return (AdaINConv if self.modulation == "adain" else JoinedConv)(channels, kernel, vector)


def _resized(exemplar: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The exemplar at the size of the map x, in its precision."""
    # There is no antialiased resizing in bfloat16 on a CPU.
    return F.interpolate(exemplar.float(), x.shape[2:], mode="bilinear", antialias=True).to(x)


def _zero(layer: _Layer) -> _Layer:
    """The layer, which gives zero until it has learned."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class AdaINConv(nn.Module):
    """A convolution, instance normalization, and z's own mean and deviation (Huang and Belongie, ICCV 2017)."""

    def __init__(self, channels: int, kernel: int, vector: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel, 1, kernel // 2, bias=False)
        self.linear = _zero(nn.Linear(vector, 2 * channels))

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


class SpatialConv(nn.Module):
    """A scale and an offset of each pixel and channel, made from the exemplar, then a convolution (SPADE, Park et al.,
    CVPR 2019, without its normalization: what is flat would be raised)."""

    hidden = 8

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, self.hidden, 3, 1, 1)
        self.second = _zero(nn.Conv2d(self.hidden, 2 * channels, 3, 1, 1))
        self.conv = nn.Conv2d(channels, channels, kernel, 1, kernel // 2, bias=False)

    def forward(self, x: torch.Tensor, exemplar: torch.Tensor) -> torch.Tensor:
        """Features (N, C, H, W) and exemplars (N, 3, h, w) of the same places to features."""
        scale, offset = self.second(F.leaky_relu(self.first(_resized(exemplar, x)), 0.1)).chunk(2, 1)
        return self.conv(x * (1 + scale) + offset)


class Attention(nn.Module):
    """Features attend to the places of the exemplar's feature map (Vaswani et al., NeurIPS 2017), and add what they
    find; at first nothing."""

    heads = 4

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels, 1)
        self.key_value = nn.Conv2d(features + 2, 2 * channels, 1)
        self.out = _zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: torch.Tensor, exemplar: torch.Tensor) -> torch.Tensor:
        """Features (N, C, H, W) and the exemplar's map (N, K, h, w) to features."""
        query = self._by_place(self.query(x))
        key, value = (self._by_place(t) for t in self.key_value(with_coordinates(exemplar)).chunk(2, 1))
        found = F.scaled_dot_product_attention(query, key, value)
        return x + self.out(found.transpose(2, 3).reshape(x.shape))

    def _by_place(self, x: torch.Tensor) -> torch.Tensor:
        """Maps (N, C, H, W) as (N, heads, H * W, C / heads)."""
        return x.reshape(len(x), self.heads, x.shape[1] // self.heads, -1).transpose(2, 3)
