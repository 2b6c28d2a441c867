# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of a task on their devices, with optimizers, schedules and averaged weights; one step of them."""

import copy
import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from hffne.training.recipe import Recipe
from hffne.training.sources import Sample
from hffne.training.tasks.base import Network, Networks, TrainingTask

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.wrappers import _FabricModule


class AveragedWeights:
    """An exponential mean of a network's weights and buffers that forgets its untrained start.

    The share of the newest weights is 10 / (10 + steps so far), and not less than 1 / memory.
    """

    def __init__(self, network: nn.Module, memory: int) -> None:
        self.network, self.memory, self.count = copy.deepcopy(network).requires_grad_(False).eval(), memory, 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take the weights after a step."""
        share = max(10 / (10 + self.count), 1 / self.memory) if self.count else 1.0
        new = network.state_dict()
        for name, mean in self.network.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(new[name], share)
            else:
                mean.copy_(new[name])
        self.count += 1

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes."""
        return {"count": self.count, "network": self.network.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of `state_dict`."""
        self.count = state["count"]
        self.network.load_state_dict(state["network"])


class Trainer:
    """Trains the networks of a task by a recipe."""

    def __init__(self, fabric: "Fabric", task: TrainingTask, recipe: Recipe) -> None:
        self.fabric, self.task, self.recipe = fabric, task, recipe
        self.wrapped: dict[str, _FabricModule] = {}  # by Fabric: exchange gradients, in the run's precision
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self.schedules: dict[str, torch.optim.lr_scheduler.OneCycleLR] = {}
        self.averages: dict[str, AveragedWeights] = {}
        self.learning: dict[str, list[nn.Parameter]] = {}
        for name, network in task.networks.items():
            if recipe.channels_last:
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stub
            self.learning[name] = [p for p in network.parameters() if p.requires_grad]
            optimizer = _optimizer(self.learning[name], recipe)
            if recipe.schedule.name == "one-cycle":
                self.schedules[name] = torch.optim.lr_scheduler.OneCycleLR(
                    optimizer,
                    recipe.optimizer.learning_rate,
                    recipe.steps + 1,
                    pct_start=recipe.schedule.warmup,
                )
            self.wrapped[name], self.optimizers[name] = fabric.setup(network, optimizer)
            if recipe.average:
                self.averages[name] = AveragedWeights(network, recipe.average)
        for network in task.fixed.values():
            network.to(fabric.device)
        task.constants = {name: value.to(fabric.device) for name, value in task.constants.items()}
        self.names = [f"{learner}/{term}" for learner, terms in task.terms.items() for term in terms]

    def step(self, batches: list[Sample], seeds: list[int], stop: bool = False) -> tuple[dict[str, float], bool]:
        """One step: every network in turn learns from this process's micro batches.

        seeds: of torch's generators, one for each micro batch. Returns the terms, each averaged over the micro batches
        of all processes in which it occurs, and whether any process has been given `stop`.
        """
        sums = {name: torch.zeros(2, dtype=torch.float64, device=self.fabric.device) for name in self.names}
        for learner in self.task.terms:
            optimizer = self.optimizers[learner]
            optimizer.zero_grad()
            networks = self._networks(learner)
            for k, (batch, seed) in enumerate(zip(batches, seeds, strict=True)):
                torch.manual_seed(seed)
                last = k == len(batches) - 1
                with self.fabric.no_backward_sync(self.wrapped[learner], enabled=not last):
                    terms = self.task.loss(learner, batch, networks)
                    # Gradients are averaged over the processes, so each gives the mean of its own micro batches.
                    self.fabric.backward(torch.stack(list(terms.values())).sum() / len(batches))
                for name, value in terms.items():
                    sums[f"{learner}/{name}"] += torch.stack([value.detach().double(), torch.ones_like(value).double()])
            if all(torch.isfinite(value).all() for value in sums.values()):
                self._update(learner)
        flag = torch.tensor([float(stop), 0], dtype=torch.float64, device=self.fabric.device)
        reduced = self.fabric.all_reduce(torch.stack([*sums.values(), flag]), reduce_op="sum")
        assert isinstance(reduced, torch.Tensor)
        total: list[list[float]] = reduced.tolist()
        values = {name: total[k][0] / total[k][1] for k, name in enumerate(self.names) if total[k][1]}
        return values, total[-1][0] > 0

    def check(self, held_out: list[Sample]) -> dict[str, float]:
        """The task's metrics, averaged over samples, with the weights that are written."""
        values: dict[str, list[torch.Tensor]] = {}
        with torch.no_grad():
            for batch in held_out:
                for name, value in self.task.check(batch, self._for_use()).items():
                    values.setdefault(name, []).append(value.flatten())
        joined = {name: torch.cat(value) for name, value in values.items()}
        return {f"{self.task.name}/check/{name}": v.mean().item() for name, v in joined.items() if len(v)}

    def picture(self, batch: Sample) -> torch.Tensor | None:
        """A picture (3, H, W) in 0..1 of what the networks make of a batch, a row a face, or None."""
        with torch.no_grad():
            columns = self.task.show(batch, self._for_use())
        if not columns:
            return None
        return torch.cat([torch.cat(list(column.float()), 1) for column in columns], 2).clamp(0, 1).cpu()

    def weights(self, name: str) -> nn.Module:
        """The network `name` with the weights for use: averaged ones, or its own."""
        return self.averages[name].network if name in self.averages else self.task.networks[name]

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, for a checkpoint."""
        scaler = getattr(self.fabric._precision, "scaler", None)
        return {
            "networks": {name: network.state_dict() for name, network in self.task.networks.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "schedules": {name: schedule.state_dict() for name, schedule in self.schedules.items()},
            "averages": {name: average.state_dict() for name, average in self.averages.items()},
            "scaler": scaler.state_dict() if scaler is not None else {},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of `state_dict`."""
        for kind, own in (
            ("networks", self.task.networks),
            ("optimizers", self.optimizers),
            ("schedules", self.schedules),
            ("averages", self.averages),
        ):
            for name, part in own.items():
                part.load_state_dict(state[kind][name])
        scaler = getattr(self.fabric._precision, "scaler", None)
        if scaler is not None and state["scaler"]:
            scaler.load_state_dict(state["scaler"])

    def _networks(self, learner: str) -> Networks:
        """The networks as the loss of `learner` calls them, set up for training."""
        for name, network in self.task.networks.items():
            network.train()
            # The others' gradients are not needed: gradients only pass through them.
            for parameter in self.learning[name]:
                parameter.requires_grad_(name == learner)
        trained = {n: self.wrapped[n] if n == learner else module for n, module in self.task.networks.items()}
        return {name: self._call(module, True) for name, module in (self.task.fixed | trained).items()}

    def _for_use(self) -> Networks:
        """The networks with the weights for use, in evaluation mode and float32 unless they are fixed ones."""
        trained = {name: self._call(self.weights(name).eval(), False) for name in self.task.networks}
        return {name: self._call(module, True) for name, module in self.task.fixed.items()} | trained

    def _call(self, module: nn.Module, autocast: bool) -> Network:
        """A network as a function: in the run's precision and memory order, with a float32 result."""

        def network(*inputs: torch.Tensor) -> torch.Tensor:
            if self.recipe.channels_last:
                inputs = tuple(x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x for x in inputs)
            with self.fabric.autocast() if autocast else nullcontext():
                result: torch.Tensor = module(*inputs)
            return result.float()

        return network

    def _update(self, learner: str) -> None:
        """Change the weights of a network by its gradients."""
        optimizer, limit = self.optimizers[learner], self.recipe.optimizer.clip
        if limit:
            self.fabric.clip_gradients(self.wrapped[learner], optimizer, max_norm=limit, error_if_nonfinite=False)
        optimizer.step()
        if learner in self.schedules:
            self.schedules[learner].step()
        if learner in self.averages:
            self.averages[learner].update(self.task.networks[learner])


def first_not_finite(values: dict[str, float]) -> str:
    """The name of the first value that is not finite, or ""."""
    return next((name for name, value in values.items() if not math.isfinite(value)), "")


def _optimizer(parameters: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer."""
    settings = recipe.optimizer
    kind = torch.optim.AdamW if settings.name == "adamw" else torch.optim.Adam
    return kind(parameters, settings.learning_rate, settings.betas, weight_decay=settings.weight_decay)
