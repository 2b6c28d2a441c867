# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare a trained network for fast inference without changing its results."""

from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

Network = TypeVar("Network", bound=nn.Module)


def prepare(network: Network, device: torch.device) -> Network:
    """Put a trained network on a device: no gradients, batch norms folded, channels last. Changes it in place.

    Folding is exact up to rounding; it saves a pass over every feature map. Convolutions on CPUs, and on GPUs in half
    precision, work in channels-last order internally, so no transposition is needed between them.
    """
    network.eval().requires_grad_(False)
    fold_batch_norms(network)
    network.to(device)
    for parameter in network.parameters():
        if parameter.dim() == 4:
            # Not `contiguous`, which leaves the weights of one input channel as they are: the maps behind them would be
            # in the other order.
            parameter.data = parameter.data.clone(memory_format=torch.channels_last)
    return network


def fold_batch_norms(network: Network) -> Network:
    """Fold each batch norm that follows a convolution in a Sequential into the convolution's weights, in place."""
    for block in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for index in range(len(block) - 1):
            convolution, norm = block[index], block[index + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                assert norm.running_mean is not None and norm.running_var is not None
                # Not fuse_conv_bn_eval, which copies the whole convolution first.
                convolution.weight, convolution.bias = fuse_conv_bn_weights(
                    convolution.weight,
                    convolution.bias,
                    norm.running_mean,
                    norm.running_var,
                    norm.eps,
                    norm.weight,
                    norm.bias,
                )
                block[index + 1] = nn.Identity()
    return network
