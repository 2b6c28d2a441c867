# SPDX-License-Identifier: GPL-3.0-or-later
"""Task fine, stage 2: supervised relief on renders; on photos the exemplar (eq. 8) and the photo's own fine light."""

import dataclasses
from collections.abc import Callable
from functools import partial

import torch

from hffne.networks.refiners import fine_network
from hffne.training import losses
from hffne.training.perceptual import FilterBank, perceptual_loss
from hffne.training.settings import FineSettings
from hffne.training.sources import Sample
from hffne.training.tasks.base import Networks, Terms, TrainingTask, encoded, hidden

_PICTURES = {"gray", "clean", "normal", "weight", "skin", "target"}


class FineTask(TrainingTask):
    """The fine normal, given the exemplar, on windows of faces at all the scales at which the network is used
    (`sources.closeups`).

    Relief is local: squares of the picture train as well as the whole, and are cheaper. The band of "detail" is a
    little more than what geometry.band_merge takes of the fine network. More of the photometric term copies paint into
    relief: it explains the photo's light at the cost of the angles.
    """

    name = "fine"
    terms = {"fine": ("normal", "detail", "gradient", "exemplar", "photometric", "perceptual")}
    saved = ("fine",)

    def __init__(self, settings: FineSettings) -> None:
        super().__init__()
        self.settings = settings
        self.networks = {"fine": fine_network("compact", dataclasses.asdict(settings))}
        self.bank = FilterBank()

    def loss(self, learner: str, batch: Sample, networks: Networks) -> Terms:
        """See TrainingTask."""
        settings = self.settings
        batch = self._parts(batch)
        exemplar = hidden(batch["exemplar"], settings.hidden)
        normal = networks["fine"](batch["gray"], exemplar, batch["contrast"])
        rendered = batch["rendered"] > 0.5
        terms: Terms = {}
        if rendered.any():
            ours, truth, weight = normal[rendered], batch["normal"][rendered], batch["weight"][rendered]
            terms["normal"] = losses.normal_loss(ours, truth, weight)
            terms["detail"] = losses.detail_loss(ours, truth, weight, settings.band)
            terms["gradient"] = losses.gradient_loss(ours, truth, weight)
        if (~rendered).any():
            photo = ~rendered
            ours, clean, skin = normal[photo], batch["clean"][photo], batch["skin"][photo]
            smooth = losses.blur(ours, settings.band)
            terms["exemplar"] = losses.reconstruction_loss(smooth, batch["target"][photo], batch["weight"][photo])
            terms["photometric"] = losses.photometric_loss(clean, ours, skin)
            if settings.weights.perceptual:
                terms["perceptual"] = perceptual_loss(self.bank, clean, ours, skin)
        return {name: value * getattr(settings.weights, name) for name, value in terms.items()}

    def _parts(self, batch: Sample) -> Sample:
        """Random squares of each sample as one batch: drawing a sample costs more than learning from it."""
        patch, side = self.settings.patch, batch["gray"].shape[-1]
        corners = torch.randint(side - patch + 1, (self.settings.parts, 2)).tolist()
        return {
            name: torch.cat([v[..., y : y + patch, x : x + patch] if name in _PICTURES else v for y, x in corners])
            for name, v in batch.items()
        }

    def check(self, batch: Sample, networks: Networks) -> Terms:
        """Mean angle in degrees; on renders the loss of the detail; on photos 1 - R2 of their fine light."""
        normal = networks["fine"](batch["gray"], batch["exemplar"], batch["contrast"])
        rendered = batch["rendered"] > 0.5
        detail = partial(losses.detail_loss, sigma=self.settings.band)
        return {
            "angle": losses.mean_angle(normal, batch["normal"], batch["weight"])[rendered],
            "detail": _each(detail, rendered, normal, batch["normal"], batch["weight"]),
            "unexplained": _each(losses.photometric_loss, ~rendered, batch["clean"], normal, batch["skin"]),
        }

    def show(self, batch: Sample, networks: Networks) -> list[torch.Tensor]:
        """The photo, its normal, the true one."""
        normal = networks["fine"](batch["gray"], batch["exemplar"], batch["contrast"])
        return [batch["gray"].expand(-1, 3, -1, -1), encoded(normal), encoded(batch["normal"])]


def _each(loss: Callable[..., torch.Tensor], chosen: torch.Tensor, *maps: torch.Tensor) -> torch.Tensor:
    """A loss of maps (N, ...) of each sample that is chosen (N,) bool, alone: (M,)."""
    values = [loss(*(m[i : i + 1] for m in maps)) for i in chosen.nonzero().flatten().tolist()]
    return torch.stack(values) if values else torch.zeros(0)
