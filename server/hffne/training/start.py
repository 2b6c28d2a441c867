# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a training from the weights of an earlier one."""

import re
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file
from torch import nn

from hffne.networks.coarse import CoarseNetwork
from hffne.networks.pixels import PixelNetwork
from hffne.weights.store import load_weights

N = TypeVar("N", bound=nn.Module)


def start(network: N, path: Path) -> N:
    """Load the weights that a training starts from into a network; returns it.

    A CoarseNetwork also takes those of one with a level less, at half the size: the old one becomes the deeper levels
    of the new. Other networks of colors also take the parsing network's. Raises HffneError for weights of another
    network.
    """
    if isinstance(network, CoarseNetwork):
        state = {name: value.float() for name, value in load_file(path).items()}
        if sum(bool(re.fullmatch(r"downs\.\d+\.0\.0\.weight", name)) for name in state) == len(network.downs) - 1:
            network.load_state_dict(_grown(network.state_dict(), state))
            return network
    if isinstance(network, PixelNetwork):
        state = {name: value.float() for name, value in load_file(path).items()}
        if state["out.bias"].shape != network.out.weight.shape[:1]:  # the parsing network's: all but its last layer
            own = network.state_dict()
            state |= {name: value for name, value in own.items() if name.startswith(("out.", "edges."))}
            state["stem.0.weight"] = widened(state["stem.0.weight"], own["stem.0.weight"])
            network.load_state_dict(state)
            return network
    return load_weights(network, path)


def widened(old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    """A first layer's kernels in the shape of `new`, for more channels, of which the new ones say nothing yet."""
    wide = torch.zeros_like(new)
    wide[:, : old.shape[1]] = old
    return wide


def _grown(new: dict[str, torch.Tensor], old: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The state of a new network with one level more in front of the old one's.

    What is new stays as it is, except for the residual blocks, which start as the identity.
    """

    def deeper(match: re.Match[str]) -> str:
        return f"downs.{int(match[1]) + 1}."

    state = {
        name: torch.zeros_like(value) if name.endswith("second.1.weight") else value for name, value in new.items()
    }
    for name, value in old.items():
        if name.startswith(("edges.", "unfold.", "out.", "stem.0.")):
            continue  # these see another scale
        name = re.sub(r"^stem\.1\.", "downs.0.1.", re.sub(r"^downs\.(\d+)\.", deeper, name))
        state[name] = value
    return state
