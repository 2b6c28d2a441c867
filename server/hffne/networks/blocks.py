# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers shared by the networks. Feature maps are (N, C, H, W)."""

import torch
from torch import nn
from torch.nn import functional as F


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm (folded by `inference.prepare`), leaky ReLU 0.1."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1, inplace=True),
    )


class Residual(nn.Module):
    """A residual block of two convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features to features of the same shape."""
        if torch.is_grad_enabled():
            return F.leaky_relu(x + self.second(self.first(x)), 0.1)
        return F.leaky_relu_(self.second(self.first(x)).add_(x), 0.1)


class Down(nn.Sequential):
    """Halve the map, then a residual block."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(conv(inputs, outputs, 3, 2), Residual(outputs))


def up2(x: torch.Tensor) -> torch.Tensor:
    """Double the map's sides bilinearly, without checkerboard artifacts."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def joined(block: nn.Module, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """A block of `conv` applied to features (N, C, H, W) and (N, D, H, W) one behind the other."""
    assert isinstance(block, nn.Sequential)
    convolution, norm, activation = block
    if torch.is_grad_enabled() or not isinstance(norm, nn.Identity):
        return block(torch.cat([first, second], 1))
    # Two convolutions: to put large maps one behind the other takes as long as one of them.
    assert isinstance(convolution, nn.Conv2d) and not isinstance(convolution.padding, str)
    weight, padding, channels = convolution.weight, convolution.padding, first.shape[1]
    out = F.conv2d(first, weight[:, :channels], convolution.bias, padding=padding)
    return activation(out.add_(F.conv2d(second, weight[:, channels:], padding=padding)))


def full_precision(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Run a layer in float32 under any autocast: half precision would round positions to half a pixel."""
    with torch.autocast(x.device.type, enabled=False):
        return layer(x.float())


def standardize(gray: torch.Tensor, contrast: torch.Tensor | None = None) -> torch.Tensor:
    """Gray pictures (N, 1, H, W) to zero mean and unit contrast each, against differences of exposure.

    contrast (N, 2): mean and deviation to use, where a picture is a part of another; None: the picture's own.
    """
    if contrast is None:
        mean, deviation = gray.mean((2, 3), keepdim=True), gray.std((2, 3), keepdim=True)
    else:
        mean, deviation = (c.view(-1, 1, 1, 1) for c in contrast.unbind(1))
    return (gray - mean) / (deviation + 0.05)


def unit(normal: torch.Tensor) -> torch.Tensor:
    """L2-normalize over channels (N, 3, H, W)."""
    # Not F.normalize, whose sum over few channels takes up to sixty times as long on a CPU.
    return normal * torch.rsqrt(normal.square().sum(1, keepdim=True).clamp_min(1e-12))


def with_coordinates(x: torch.Tensor) -> torch.Tensor:
    """Append x and y in -1..1 as channels: the place in the crop is informative."""
    n, _, h, w = x.shape
    ys = torch.linspace(-1, 1, h, dtype=x.dtype, device=x.device).view(1, 1, h, 1).expand(n, 1, h, w)
    xs = torch.linspace(-1, 1, w, dtype=x.dtype, device=x.device).view(1, 1, 1, w).expand(n, 1, h, w)
    return torch.cat([x, xs, ys], 1)
