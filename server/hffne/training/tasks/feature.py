# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks eyes and mouth: their normals from close up, and with the mouth those of the base of the nose."""

import torch

from hffne.geometry.explained_luminance import blur
from hffne.networks.feature import FeatureNetwork
from hffne.training.losses import gradient_loss, mean_angle, normal_loss, photometric_loss
from hffne.training.settings import FeatureSettings
from hffne.training.sources import Sample
from hffne.training.tasks.base import Networks, Terms, TrainingTask, encoded


class FeatureTask(TrainingTask):
    """The normals of renders, and round the lids or lips those of photos' fits, pixel by pixel, and their differences
    between neighbors; beside these on photos the coarse network's in the broad, and the photo's own light."""

    def __init__(self, settings: FeatureSettings, name: str = "eyes") -> None:
        """name: "eyes" or "mouth"."""
        super().__init__()
        self.name, self.settings = name, settings
        self.terms = {name: ("normal", "gradient", "broad", "photometric")}
        self.saved = (name,)
        self.networks = {name: FeatureNetwork()}

    def loss(self, learner: str, batch: Sample, networks: Networks) -> Terms:
        """See TrainingTask."""
        settings = self.settings
        normal = networks[self.name](batch["rgb"], batch["coarse"])
        target, weight, photo = batch["normal"], batch["weight"], batch["photo"][:, 0] > 0
        terms: Terms = {
            "normal": settings.normal * normal_loss(normal, target, weight, settings.chord),
            "gradient": settings.gradient * gradient_loss(normal, target, weight),
        }
        if photo.any():
            away = blur(normal[photo] - batch["coarse"][photo], settings.sigma).abs().sum(1)
            gray = batch["rgb"][photo].mean(1, keepdim=True)
            light = photometric_loss(gray, normal[photo], batch["skin"][photo], settings.folds)
            terms |= {
                "broad": settings.broad * (away * (1 - weight[photo]) * (1 - batch["free"][photo])).mean(),
                "photometric": settings.photometric * light,
            }
        return terms

    def check(self, batch: Sample, networks: Networks) -> Terms:
        """Degrees of error of the network's normals, and of the coarse ones."""
        normal = networks[self.name](batch["rgb"], batch["coarse"])
        return {
            "degrees": mean_angle(normal, batch["normal"], batch["weight"]),
            "coarse": mean_angle(batch["coarse"], batch["normal"], batch["weight"]),
        }

    def show(self, batch: Sample, networks: Networks) -> list[torch.Tensor]:
        """The picture, its coarse normals, what was found, and the truth."""
        normal = networks[self.name](batch["rgb"], batch["coarse"])
        return [batch["rgb"], *(encoded(each) for each in (batch["coarse"], normal, batch["normal"]))]
