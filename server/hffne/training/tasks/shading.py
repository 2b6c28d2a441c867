# SPDX-License-Identifier: GPL-3.0-or-later
"""Task shading: what takes the light out of a face photo's colors."""

import torch

from hffne.geometry.unlit import DARK
from hffne.networks.shading import ShadingNetwork
from hffne.training.losses import gradient_loss, weighted_mean
from hffne.training.settings import ShadingSettings
from hffne.training.sources import Sample
from hffne.training.tasks.base import Networks, Terms, TrainingTask


class ShadingTask(TrainingTask):
    """L1 of the logarithms after one gain of the whole picture, L1 of their differences between neighbors, which are
    the borders of shadows, and L1 of the linear albedo, in which highlights count."""

    name = "shading"
    terms = {"shading": ("gain", "gradient", "albedo")}
    saved = ("shading",)

    def __init__(self, settings: ShadingSettings) -> None:
        super().__init__()
        self.settings = settings
        self.networks = {"shading": ShadingNetwork()}

    def loss(self, learner: str, batch: Sample, networks: Networks) -> Terms:
        """See TrainingTask."""
        gain, truth = _centered(networks["shading"](batch["rgb"]), batch), _centered(batch["gain"], batch)
        ours, right = (_albedo(each, batch) for each in (gain, truth))
        level = _mean(right.mean(1, keepdim=True), batch["weight"]).clamp_min(0.02)
        return {
            "gain": self.settings.gain * weighted_mean((gain - truth).abs().mean(1), batch["weight"]),
            "gradient": self.settings.gradient * gradient_loss(gain, truth, batch["weight"]),
            "albedo": self.settings.albedo * weighted_mean(((ours - right).abs() / level).mean(1), batch["weight"]),
        }

    def check(self, batch: Sample, networks: Networks) -> Terms:
        """Root mean squared error of the linear albedo over its mean, after one gain, and that of the photo itself."""
        truth = _albedo(_centered(batch["gain"], batch), batch)
        found = _albedo(_centered(networks["shading"](batch["rgb"]), batch), batch)
        photo = _albedo(torch.zeros_like(found), batch)
        return {"error": _error(found, truth, batch["weight"]), "photo": _error(photo, truth, batch["weight"])}

    def show(self, batch: Sample, networks: Networks) -> list[torch.Tensor]:
        """The picture, what was found and the true albedo."""
        gains = [networks["shading"](batch["rgb"]), batch["gain"]]
        albedos = [_albedo(_centered(gain, batch), batch).clamp(0, 1) ** (1 / 2.2) for gain in gains]
        return [batch["rgb"], *(albedo * (batch["weight"] > 0)[:, None] for albedo in albedos)]


def _mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Each sample's mean (N, 1, 1, 1) of values (N, 1, S, S)."""
    total = weight.sum((1, 2)).clamp_min(1)
    return ((values[:, 0] * weight).sum((1, 2)) / total)[:, None, None, None]


def _centered(gain: torch.Tensor, batch: Sample) -> torch.Tensor:
    """Gains (N, 3, S, S) whose mean over the face is 0: exposure is not known."""
    return gain - _mean(gain.mean(1, keepdim=True), batch["weight"])


def _albedo(gain: torch.Tensor, batch: Sample) -> torch.Tensor:
    """Linear colors (N, 3, S, S) without light."""
    color = batch["rgb"].clamp(0, 1)
    linear = torch.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return (linear + DARK) * gain.clamp(-4, 4).exp() - DARK


def _error(found: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    weight = weight[:, None]
    gain = (found * truth * weight).sum((1, 2, 3)) / (found.square() * weight).sum((1, 2, 3)).clamp_min(1e-6)
    squares = ((found * gain[:, None, None, None] - truth).square() * weight).sum((1, 2, 3))
    total = 3 * weight.sum((1, 2, 3)).clamp_min(1)
    mean = (truth * weight).sum((1, 2, 3)) / total
    return (squares / total).sqrt() / mean.clamp_min(1e-3)
