# SPDX-License-Identifier: GPL-3.0-or-later
"""Task coarse, stage 1: the normal of renders without their finest relief; on photos the shape of their fits."""

import torch

from hffne.networks.blocks import unit
from hffne.networks.coarse import CoarseNetwork
from hffne.training import losses
from hffne.training.feature_weights import fit_weight, render_weight
from hffne.training.settings import CoarseSettings
from hffne.training.sources import Sample
from hffne.training.tasks.base import Networks, Terms, TrainingTask, encoded


class CoarseTask(TrainingTask):
    """The exemplar normal.

    A fit has eyes, nose and lips but no folds, and a network trained on it everywhere learns to show no folds on
    photos. So photos follow their fits in the low frequencies, and pixel by pixel only where skin is not bare; on bare
    skin the folds must explain the photo's own light. Renders alone leave photos too flat: with weights of 0.05 (broad)
    and 0.125 (fit) the network is off the landmark mesh by 8.8 degrees, with 0.5 and 0.25 by 8.15.

    The term "forms" compares the difference of the two renders of a pair (see sources.face_set) with the true
    difference: trained on the true normals only, a network learns the mean face and shows hardly a tenth of a change of
    form (evaluation.response).
    """

    name = "coarse"
    terms = {"coarse": ("normal", "gradient", "forms", "broad", "fit", "photometric", "teacher")}
    saved = ("coarse",)

    def __init__(self, settings: CoarseSettings, size: int = 256, teacher: CoarseNetwork | None = None) -> None:
        """teacher: an older network whose low frequencies are kept everywhere but near lids and lips."""
        super().__init__()
        self.settings = settings
        self.networks = {"coarse": CoarseNetwork(size)}
        if teacher is not None:
            self.fixed = {"teacher": teacher.eval().requires_grad_(False)}

    def loss(self, learner: str, batch: Sample, networks: Networks) -> Terms:
        """See TrainingTask."""
        normal = networks["coarse"](batch["gray"])
        rendered = batch["rendered"] > 0.5
        of_renders: Terms = {}
        if rendered.any():
            ours, truth = normal[rendered], batch["smooth"][rendered]
            weight = render_weight(batch, self.settings.features)[rendered]
            of_renders["normal"] = losses.normal_loss(ours, truth, weight)
            of_renders["gradient"] = losses.gradient_loss(ours, truth, weight)
        second = batch["second"][1:].nonzero().flatten() + 1
        if len(second):
            ours, truth = (n[second] - n[second - 1] for n in (normal, batch["smooth"]))
            of_renders["forms"] = losses.weighted_mean((ours - truth).square().sum(1), batch["weight"][second])
        of_photos = self._of_photos(normal, batch, ~rendered) if (~rendered).any() else {}
        share, weights = rendered.float().mean(), self.settings.weights
        terms = {name: value * getattr(weights, name) * share for name, value in of_renders.items()}
        terms |= {name: value * getattr(weights, name) * (1 - share) for name, value in of_photos.items()}
        if "teacher" in networks:
            terms["teacher"] = self._of_teacher(normal, batch, networks)
        return terms

    def _of_teacher(self, normal: torch.Tensor, batch: Sample, networks: Networks) -> torch.Tensor:
        """The distance from the teacher's low frequencies beside lids and lips."""
        settings = self.settings.teacher
        with torch.no_grad():
            kept = networks["teacher"](batch["gray"])
        second = batch["second_family"].view(-1, 1, 1)
        weight = batch["weight"] * (1 - batch["lids"]) * (1 - batch["lips"])
        weight = weight * (1 + (settings.second_family - 1) * second)
        known = (batch["weight"] > 0)[:, None]
        ours, kept = (unit(losses.blur(n * known, settings.sigma)) for n in (normal, kept))
        return losses.normal_loss(ours, kept, weight) * settings.weight

    def _of_photos(self, normal: torch.Tensor, batch: Sample, photo: torch.Tensor) -> Terms:
        """The terms of the photos of a batch; photo (N,) bool."""
        ours, fit, weight = normal[photo], batch["smooth"][photo], batch["weight"][photo]
        known = (weight > 0)[:, None]
        broad, broad_fit = (unit(losses.blur(n * known, self.settings.broad)) for n in (ours, fit))
        bare = batch["skin"][photo]
        return {
            "broad": losses.normal_loss(broad, broad_fit, weight),
            "fit": losses.normal_loss(ours, fit, fit_weight(batch, self.settings.features)[photo] * (1 - 0.9 * bare)),
            "photometric": losses.photometric_loss(batch["clean"][photo], ours, bare, self.settings.folds),
        }

    def check(self, batch: Sample, networks: Networks) -> Terms:
        """Mean angle in degrees."""
        return {"angle": losses.mean_angle(networks["coarse"](batch["gray"]), batch["smooth"], batch["weight"])}

    def show(self, batch: Sample, networks: Networks) -> list[torch.Tensor]:
        """The photo, its normal, the true one."""
        normal = networks["coarse"](batch["gray"])
        return [batch["gray"].expand(-1, 3, -1, -1), encoded(normal), encoded(batch["smooth"])]
