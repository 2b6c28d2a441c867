# SPDX-License-Identifier: GPL-3.0-or-later
"""Feature modulation by the exemplar's vector (equations 4-7; StyleGAN2's modulated convolution)."""

import torch
from torch import nn
from torch.nn import functional as F


class ModulatedConv(nn.Module):
    """A convolution whose weights are scaled per input channel by the exemplar's vector z (N, Z).

    ``w' = w * s * Linear(z)`` (eq. 4), ``w'' = w' / sqrt(sum w'^2 + eps)`` (eq. 5, 6), then convolved (eq. 7).
    The input channels and the outputs are scaled instead of the weights: the same sum, and one convolution per batch.
    """

    def __init__(self, inputs: int, outputs: int, vector: int, kernel: int = 3, eps: float = 1e-8) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.scale = (inputs * kernel * kernel) ** -0.5
        self.linear = nn.Linear(vector, inputs)
        nn.init.zeros_(self.linear.weight)
        nn.init.ones_(self.linear.bias)
        self.padding, self.eps = kernel // 2, eps

    def forward(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Features (N, C, H, W) and vectors (N, Z) to features."""
        style = self.linear(z) * self.scale
        energy = style.square() @ self.weight.square().sum((2, 3)).t()
        gain = torch.rsqrt(energy + self.eps)
        if len(z) == 1 and not torch.is_grad_enabled():
            # One face: scaling the few weights instead saves two passes over the large feature maps.
            weight = self.weight * style[0, :, None, None] * gain[0, :, None, None, None]
            return F.conv2d(x, weight, padding=self.padding)
        x = F.conv2d(x * style[:, :, None, None], self.weight, padding=self.padding)
        return x * gain[:, :, None, None]
