# SPDX-License-Identifier: GPL-3.0-or-later
"""Task paper-coarse: the paper's stage 1, with networks of the published or the compact widths."""

import torch
from torch.nn import functional as F

from hffne.networks.coarse import CoarseNetwork
from hffne.networks.discriminator import PatchDiscriminator
from hffne.networks.paper import PaperCoarseNetwork
from hffne.training.losses import mean_angle
from hffne.training.recipe import Recipe
from hffne.training.settings import PaperCoarseSettings
from hffne.training.sources import Sample
from hffne.training.tasks.base import Networks, Terms, TrainingTask, at_its_size, encoded


def coarse_network(recipe: Recipe) -> CoarseNetwork | PaperCoarseNetwork:
    """The untrained coarse network of a recipe of either stage."""
    return PaperCoarseNetwork() if recipe.model == "paper" else CoarseNetwork(-(-recipe.size // 64) * 64)


class PaperCoarse(TrainingTask):
    """The generator against the discriminator, plus L1 to the known normals (pix2pix). Needs labels.

    Unlike in pix2pix the discriminator sees true and made normals in one pass, and only where the truth is known.
    """

    name = "paper-coarse"
    terms = {"discriminator": ("real", "made"), "generator": ("adversarial", "l1")}
    saved = ("generator",)

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        assert isinstance(recipe.settings, PaperCoarseSettings)
        self.settings = recipe.settings
        generator = coarse_network(recipe)
        self.side = generator.input_size
        self.networks = {"generator": generator, "discriminator": PatchDiscriminator(self.settings.discriminator)}

    def loss(self, learner: str, batch: Sample, networks: Networks) -> Terms:
        """See TrainingTask."""
        known = (batch["weight"] > 0)[:, None].float()
        true = batch["normal"] * known
        if learner == "discriminator":
            with torch.no_grad():
                fake = at_its_size(networks["generator"], self.side, batch["gray"]) * known
            # Both halves in one pass: one exchange of gradients a pass.
            logits = networks["discriminator"](torch.cat([batch["gray"]] * 2), torch.cat([true, fake]))
            real, made = logits.chunk(2)
            return {
                "real": 0.5 * F.binary_cross_entropy_with_logits(real, torch.ones_like(real)),
                "made": 0.5 * F.binary_cross_entropy_with_logits(made, torch.zeros_like(made)),
            }
        normal = at_its_size(networks["generator"], self.side, batch["gray"])
        logits = networks["discriminator"](batch["gray"], normal * known)
        weight = batch["weight"]
        distance = ((normal - true).abs().mean(1) * weight).sum() / weight.sum().clamp_min(1)
        return {
            "adversarial": F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits)),
            "l1": self.settings.lambda_l1 * distance,
        }

    def check(self, batch: Sample, networks: Networks) -> Terms:
        """Mean angle to the known normals in degrees."""
        normal = at_its_size(networks["generator"], self.side, batch["gray"])
        return {"angle": mean_angle(normal, batch["normal"], batch["weight"])}

    def show(self, batch: Sample, networks: Networks) -> list[torch.Tensor]:
        """The photo, its normal, the true one."""
        normal = at_its_size(networks["generator"], self.side, batch["gray"])
        return [batch["gray"].expand(-1, 3, -1, -1), encoded(normal), encoded(batch["normal"])]
