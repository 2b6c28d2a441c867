# SPDX-License-Identifier: GPL-3.0-or-later
"""Task paper-fine: the paper's stage 2, with networks of the published or the compact widths."""

import dataclasses

import torch
from torch.nn import functional as F

from hffne.errors import ConfigurationError
from hffne.networks.blocks import unit
from hffne.networks.coarse import CoarseNetwork
from hffne.networks.paper import PaperCoarseNetwork, PaperFineNetwork
from hffne.networks.refiners import fine_network
from hffne.networks.successor import SuccessorFineNetwork
from hffne.training.losses import mean_angle, weighted_mean
from hffne.training.perceptual import Perceptual, State
from hffne.training.recipe import Recipe
from hffne.training.settings import BALANCES, PaperFineSettings
from hffne.training.sources import Sample
from hffne.training.tasks.base import Networks, Terms, TrainingTask, at_its_size, encoded, hidden


class PaperFine(TrainingTask):
    """Smooth-L1 to the exemplar, times lambda_ref, plus the perceptual term (equations 8-10); or the successor's, the
    cosine to the exemplar. Needs no labels.
    """

    name = "paper-fine"
    terms = {"fine": ("reconstruction", "perceptual")}
    saved = ("fine",)

    def __init__(
        self,
        recipe: Recipe,
        coarse: CoarseNetwork | PaperCoarseNetwork,
        vgg: State | None = None,
        exemplar: torch.Tensor | None = None,
    ) -> None:
        """coarse: the trained exemplar network. vgg: see `perceptual.read_vgg`, or None for the filter bank.
        exemplar: normals (3, s, s) that take the exemplar's place for every face, or None; where they are zero, each
        face's own exemplar fills them."""
        super().__init__()
        self.settings, self.side = _settings(recipe), coarse.input_size
        network = fine_network(recipe.model, dataclasses.asdict(self.settings))
        self.sees_color = isinstance(network, SuccessorFineNetwork)
        if vgg and isinstance(network, PaperFineNetwork) and hasattr(network, "NormalEncoder"):
            # The paper's E_R starts from the pretrained VGG19, which stays as it is.
            part = network.NormalEncoder.vgg["vgg_feature"]
            part.load_state_dict({name: vgg[name] for name in part.state_dict()})
            part.requires_grad_(False)
        self.networks = {"fine": network}
        self.fixed = {"coarse": coarse.eval().requires_grad_(False), "perceptual": Perceptual(vgg)}
        self.constants = {} if exemplar is None else {"exemplar": exemplar}

    def exemplar(self, batch: Sample, networks: Networks) -> torch.Tensor:
        """The exemplar normal of each face (N, 3, S, S). Raises ConfigurationError where a photo has no base mesh."""
        own = self.constants.get("exemplar")
        if own is not None:
            side = batch["gray"].shape[-1]
            if own.shape[-1] != side:
                own = F.interpolate(own[None], (side, side), mode="area")[0]
            share = (1 - own.norm(dim=0)).clamp(0, 1)
            return unit(own[None] + share * self._estimated(batch, networks))
        if self.settings.exemplar == "base":
            if "smooth" not in batch:
                raise ConfigurationError(
                    "These photos have no base mesh for an exemplar.",
                    hint="Train on a set of `hffne train data`, or choose another exemplar.",
                )
            return unit(batch["smooth"] + torch.tensor([0.0, 0.0, 1e-4]).to(batch["smooth"]).view(1, 3, 1, 1))
        normal = self._estimated(batch, networks)
        return normal.roll(1, 0) if self.settings.exemplar == "unpaired" else normal

    def _estimated(self, batch: Sample, networks: Networks) -> torch.Tensor:
        """The coarse network's normals (N, 3, S, S)."""
        with torch.no_grad():
            return at_its_size(networks["coarse"], self.side, batch["gray"])

    def _fine(self, batch: Sample, networks: Networks, exemplar: torch.Tensor) -> torch.Tensor:
        """The fine network's normals (N, 3, S, S)."""
        face = batch.get("color", batch["gray"]) if self.sees_color else batch["gray"]
        return networks["fine"](face, exemplar)

    def loss(self, learner: str, batch: Sample, networks: Networks) -> Terms:
        """See TrainingTask."""
        exemplar = self.exemplar(batch, networks)
        normal = self._fine(batch, networks, hidden(exemplar, self.settings.hidden))
        face = batch["weight"] > 0
        area = (face if self.settings.area == "face" else torch.ones_like(face)).float()
        if self.settings.loss == "cosine":
            similar = weighted_mean((normal * exemplar).sum(1), area)
            return {"reconstruction": self.settings.lambda_ref * (1 - similar)}
        distance = F.smooth_l1_loss(normal, exemplar, reduction="none").mean(1)
        # The network sees the gray face, the perceptual term the color one where the source has it.
        difference = networks["perceptual"](batch["gray"], normal, area, batch.get("color", batch["gray"]))
        return {
            "reconstruction": self.settings.lambda_ref * (distance * area).sum() / area.sum().clamp_min(1),
            "perceptual": difference / BALANCES[self.settings.balance],
        }

    def check(self, batch: Sample, networks: Networks) -> Terms:
        """Mean angle in degrees to the known normals, and to the exemplar within the face's area."""
        exemplar = self.exemplar(batch, networks)
        normal = self._fine(batch, networks, exemplar)
        area = (batch["weight"] > 0).float()
        known = area * (batch["normal"].square().sum(1) > 0.5)
        labeled = known.sum((1, 2)) > 0
        return {
            "angle": mean_angle(normal[labeled], batch["normal"][labeled], known[labeled]),
            "to_exemplar": mean_angle(normal, exemplar, area),
        }

    def show(self, batch: Sample, networks: Networks) -> list[torch.Tensor]:
        """The photo, its exemplar, its normal."""
        exemplar = self.exemplar(batch, networks)
        normal = self._fine(batch, networks, exemplar)
        return [batch["gray"].expand(-1, 3, -1, -1), encoded(exemplar), encoded(normal)]


def _settings(recipe: Recipe) -> PaperFineSettings:
    assert isinstance(recipe.settings, PaperFineSettings)
    return recipe.settings
