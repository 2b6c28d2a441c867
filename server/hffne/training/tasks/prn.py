# SPDX-License-Identifier: GPL-3.0-or-later
"""Task prn: position maps of renders and of fitted photos."""

import torch

from hffne.geometry.base_shape import surface_texels
from hffne.geometry.uv import template
from hffne.networks.prn import PositionMapNetwork
from hffne.training import losses
from hffne.training.settings import PositionSettings
from hffne.training.sources import Sample
from hffne.training.tasks.base import Networks, Terms, TrainingTask

MEAN_SIDE = 0.2304  # the canonical crop's side on the mean face, in its meters


class PositionTask(TrainingTask):
    """The position map of a face, its pose, and the face's shape without the pose."""

    name = "prn"
    terms = {"prn": ("position", "pose", "shape")}
    saved = ("prn",)

    def __init__(self, settings: PositionSettings) -> None:
        super().__init__()
        self.settings = settings
        uv = template()
        network = PositionMapNetwork()
        middle = uv.mean - uv.mean[uv.mask].mean(0)
        mean = torch.from_numpy(middle).permute(2, 0, 1) / (MEAN_SIDE / 2)
        face: torch.Tensor = network.get_buffer("mean")
        face.copy_(mean * torch.tensor([1.0, -1.0, 1.0])[:, None, None])
        self.networks = {"prn": network}
        mask = torch.from_numpy(uv.mask)
        center = torch.zeros_like(mask, dtype=torch.float32)
        for name in ("eyes", "nose", "lips", "brows"):
            center += torch.from_numpy(uv.regions[name]).float()
        rows, columns = torch.from_numpy(uv.landmarks).unbind(1)
        points = [(columns + 0.5) / len(mask) * 2 - 1, (rows + 0.5) / len(mask) * 2 - 1]
        self.constants = {
            "weight": 0.03 + mask.float() * (1 + 2 * center.clamp(0, 1)),
            "landmarks": torch.stack(points, 1),
            "mean": face.clone(),
            # Of registered points: the depth tells as much of a person's own shape as of the pose.
            "axes": torch.tensor([1.0, 1.0, 0.5])[:, None],
            # Without the layout's holes: texels that lie far off would decide the pose that is taken out.
            "face": torch.from_numpy(surface_texels()).float() * (1 + 2 * center.clamp(0, 1)),
        }
        sound = losses.at_points((self.constants["face"] > 0).float()[None, None], self.constants["landmarks"])
        self.constants["surface_landmarks"] = self.constants["landmarks"][sound[0, 0] > 0.99]

    def loss(self, learner: str, batch: Sample, networks: Networks) -> Terms:
        """See TrainingTask."""
        position, truth, known, weights = (
            networks["prn"](batch["gray"]),
            batch["position"],
            self.constants,
            self.settings,
        )
        # The second family's maps are registered by a few points: these alone are true to another's layout.
        exact = batch["second_family"] == 0
        zero = position.sum() * 0
        terms: Terms = {"position": zero, "pose": zero, "shape": zero}
        if exact.any():
            ours, own, share = position[exact], truth[exact], exact.float().mean()
            points = losses.position_loss(ours, own, known["weight"], known["landmarks"])
            pose = losses.pose_loss(ours, own, known["mean"])
            shape = losses.shape_loss(ours, own, known["mean"], known["face"], known["surface_landmarks"])
            terms["position"] = terms["position"] + points * weights.position * share
            terms["pose"] = pose * weights.pose * share
            terms["shape"] = shape * weights.shape * share
        if not exact.all():
            error = losses.at_points((position - truth)[~exact], known["surface_landmarks"]).abs()
            error = (error * known["axes"]).sum(1).mean()
            terms["position"] = terms["position"] + error * weights.registered * (~exact).float().mean()
        return terms

    def check(self, batch: Sample, networks: Networks) -> Terms:
        """Mean distance of the 68 points in percent of the crop's side, and that of the shapes without pose.

        shape_percent: over the face, in percent of a crop's side around the mean face.
        """
        known, position, target = self.constants, networks["prn"](batch["gray"]), batch["position"]
        error = losses.at_points(position - target, known["landmarks"])[:, :2]
        ours, truth = (losses.without_pose(p, known["mean"], known["face"]) for p in (position, target))
        shape = ((ours - truth).norm(dim=1) * known["face"]).sum((1, 2)) / known["face"].sum()
        return {"points_percent": error.norm(dim=1).mean(1) * 50, "shape_percent": shape * 50}
