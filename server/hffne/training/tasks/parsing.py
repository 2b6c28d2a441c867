# SPDX-License-Identifier: GPL-3.0-or-later
"""Task parsing: what every pixel of a face photo shows."""

import torch
from torch.nn import functional as F

from hffne.networks.parsing import ParsingNetwork
from hffne.parts import PARTS, SKIN, UNKNOWN
from hffne.training.settings import ParsingSettings
from hffne.training.sources import Sample
from hffne.training.tasks.base import Networks, Terms, TrainingTask


class ParsingTask(TrainingTask):
    """Cross entropy over the pixels whose part is known, weighted by part; and one minus the Dice coefficient, which
    does not let thin parts (frames of glasses) vanish."""

    name = "parsing"
    terms = {"parsing": ("entropy", "dice")}
    saved = ("parsing",)

    def __init__(self, settings: ParsingSettings) -> None:
        super().__init__()
        self.settings = settings
        self.networks = {"parsing": ParsingNetwork()}
        self.constants = {"weights": torch.tensor([getattr(settings.parts, name) for name in PARTS])}

    def loss(self, learner: str, batch: Sample, networks: Networks) -> Terms:
        """See TrainingTask."""
        logits, part = networks["parsing"](batch["rgb"]), batch["part"].long()
        entropy = F.cross_entropy(logits, part, self.constants["weights"], ignore_index=UNKNOWN)
        known = (part != UNKNOWN)[:, None]
        shown = F.one_hot(torch.where(known[:, 0], part, 0), len(PARTS)).permute(0, 3, 1, 2) * known
        share = logits.softmax(1) * known
        both = (share * shown).sum((0, 2, 3))
        dice = 2 * both / (share.sum((0, 2, 3)) + shown.sum((0, 2, 3)) + 1)
        present = shown.sum((0, 2, 3)) > 0
        return {"entropy": entropy, "dice": self.settings.dice * (1 - dice)[present].mean()}

    def check(self, batch: Sample, networks: Networks) -> Terms:
        """The share of pixels with the right part, and the intersection over union of skin."""
        found, part = networks["parsing"](batch["rgb"]).argmax(1), batch["part"].long()
        known = part != UNKNOWN
        right = ((found == part) & known).sum((1, 2)) / known.sum((1, 2)).clamp(min=1)
        ours, truth = (found == SKIN) & known, (part == SKIN) & known
        union = (ours | truth).sum((1, 2))
        return {"right": right, "skin": ((ours & truth).sum((1, 2)) / union.clamp(min=1))[union > 0]}

    def show(self, batch: Sample, networks: Networks) -> list[torch.Tensor]:
        """The picture, the parts found and the true ones, in gray."""
        found = networks["parsing"](batch["rgb"]).argmax(1)
        grays = [(p / (len(PARTS) - 1)).clamp(0, 1)[:, None].expand(-1, 3, -1, -1) for p in (found, batch["part"])]
        return [batch["rgb"], *grays]
