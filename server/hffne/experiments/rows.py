# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of each study: configurations of stage 2."""

from dataclasses import dataclass
from typing import Any

from hffne.training.recipe import Recipe


@dataclass(frozen=True)
class Row:
    """One configuration.

    share  of stage 1's steps, after which the exemplars were made
    vgg    relu1_2 makes the perceptual term instead of the filter bank
    """

    name: str
    share: float = 0.5
    architecture: str = "A3"
    modulation: str = "stylegan2"
    exemplar: str = "paired"
    more: tuple[tuple[str, float | str], ...] = ()  # settings of training.settings.PaperFineSettings beside these
    vgg: bool = False

    @property
    def folder(self) -> str:
        """The name of the folder that the row is trained in."""
        more = "".join(f"_{name}_{value}" for name, value in self.more)
        more += "_vgg" * self.vgg
        return f"fine_{self.share:g}_{self.architecture}_{self.modulation}_{self.exemplar}{more}"

    def recipe(self, recipe: Recipe) -> Recipe:
        """A recipe of stage 2 with the row's variant."""
        names = ("architecture", "modulation", "exemplar")
        values: dict[str, Any] = {name: getattr(self, name) for name in names} | dict(self.more)
        return recipe.changed({f"settings.{name}": value for name, value in values.items()})


# The paper's stage 1 has 200k iterations: 1k, 50k and 100k of them. Its method is the row Iter100k / A3 / StyleGAN2.
STUDIES = {
    "initialization": (
        Row("Iter1k", 1 / 200),
        Row("Iter50k", 1 / 4),
        Row("Iter100k"),
        Row("Iter200k", 1.0),
        Row("unpaired", exemplar="unpaired"),
    ),
    "architecture": (
        Row("A1", architecture="A1"),
        Row("A2", architecture="A2"),
        Row("A3"),
        Row("FNR2R", architecture="FNR2R", more=(("loss", "cosine"),)),
    ),
    "modulation": (Row("w/o modulation", modulation="none"), Row("AdaIN", modulation="adain"), Row("StyleGAN2")),
    # Not in the paper: does the exemplar matter, and would more of it help?
    "exemplar": (
        Row("alone", architecture="alone"),
        Row("A3"),
        Row("z of 512", more=(("vector", 512),)),
        Row("hidden 30 %", more=(("hidden", 0.3),)),
        Row("attention", architecture="attention"),
        Row("spatial", architecture="spatial"),
    ),
    # The two balances of the paper, and that of the other studies.
    "perceptual": (
        Row("filter bank"),
        Row("relu1_2", vgg=True),
        Row("relu1_2, the text's balance", more=(("lambda_ref", 1.0),), vgg=True),
        Row("relu1_2, the code's balance", more=(("lambda_ref", 1.0), ("balance", "paper-code")), vgg=True),
    ),
}
