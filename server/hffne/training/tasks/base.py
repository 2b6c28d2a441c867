# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training task gives to the loop: networks, losses, metrics."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from torch import nn
from torch.nn import functional as F

from hffne.networks.blocks import unit
from hffne.training.sources import Sample

# A network as a task calls it: in the run's precision and memory order, with a float32 result.
Network: TypeAlias = Callable[..., torch.Tensor]
Networks: TypeAlias = Mapping[str, Network]
Terms: TypeAlias = dict[str, torch.Tensor]


class TrainingTask(ABC):
    """What is trained on what. A task owns networks and constants; the loop (`loop.train`) owns the rest.

    name       the task's name, as in a recipe
    networks   the networks that are trained, by name; each has an optimizer of its own
    fixed      networks that are used and stay as they are, by name
    constants  tensors that losses need, by name; the loop moves them to the device
    terms      the networks that learn within a step, in this order, and for each the names of its loss terms
    saved      the networks whose weights are written, as ``<name>.safetensors``
    """

    name: str
    terms: Mapping[str, tuple[str, ...]]
    saved: tuple[str, ...]

    def __init__(self) -> None:
        self.networks: dict[str, nn.Module] = {}
        self.fixed: dict[str, nn.Module] = {}
        self.constants: dict[str, torch.Tensor] = {}

    @abstractmethod
    def loss(self, learner: str, batch: Sample, networks: Networks) -> Terms:
        """The loss terms, scalars by name, whose sum is lowered by the network `learner`.

        batch: a micro batch. networks: all networks of the task, trained and fixed, by name. A term that does not occur
        in the batch is left out.
        """

    def check(self, batch: Sample, networks: Networks) -> Terms:
        """Metrics of held-out samples by name, one value for each sample (N,) or for some of them."""
        return {}

    def show(self, batch: Sample, networks: Networks) -> list[torch.Tensor]:
        """Pictures (N, 3, H, W) in 0..1 to look at, side by side."""
        return []


def at_its_size(network: Network, side: int, gray: torch.Tensor) -> torch.Tensor:
    """The coarse network's normal (N, 3, S, S) of a gray face (N, 1, S, S); side: of the network's own input."""
    if gray.shape[-1] == side:
        return network(gray)
    small = F.interpolate(gray, (side, side), mode="area")
    return unit(F.interpolate(network(small), gray.shape[2:], mode="bilinear"))


def encoded(normal: torch.Tensor) -> torch.Tensor:
    """Normals (N, 3, H, W) as colors in 0..1."""
    return normal * 0.5 + 0.5


def hidden(exemplar: torch.Tensor, share: float) -> torch.Tensor:
    """Exemplars (N, 3, h, w), a random share of them zero (dropout of the whole exemplar)."""
    if not share:
        return exemplar
    seen = torch.rand(len(exemplar), 1, 1, 1, device=exemplar.device) >= share
    return exemplar * seen
