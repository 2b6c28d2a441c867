# SPDX-License-Identifier: GPL-3.0-or-later
"""What each network is trained on: its loss and its check. A task owns a network, the loop owns the rest."""

from functools import partial

import torch
from torch.nn import functional as F

from hffne.geometry.uv import template
from hffne.networks.blocks import unit
from hffne.networks.coarse import CoarseNetwork
from hffne.networks.fine import FineNetwork
from hffne.networks.prn import PositionMapNetwork
from hffne.training import losses

MEAN_SIDE = 0.2304  # the canonical crop's side on the mean face, in its meters


class PositionTask:
    """PRN: position maps of renders and of fitted photos."""

    name, size, learning_rate = "prn", 128, 1.5e-3
    pose = 0.3  # what the pose weighs beside the points

    def __init__(self):
        uv = template()
        self.network = PositionMapNetwork()
        middle = uv.mean - uv.mean[uv.mask].mean(0)
        mean = torch.from_numpy(middle).permute(2, 0, 1) / (MEAN_SIDE / 2)
        self.network.mean.copy_(mean * torch.tensor([1.0, -1.0, 1.0])[:, None, None])
        mask = torch.from_numpy(uv.mask)
        center = torch.zeros_like(mask, dtype=torch.float32)
        for name in ("eyes", "nose", "lips", "brows"):
            center += torch.from_numpy(uv.regions[name]).float()
        self.weight = 0.03 + mask.float() * (1 + 2 * center.clamp(0, 1))
        rows, columns = torch.from_numpy(uv.landmarks).unbind(1)
        self.landmarks = torch.stack([(columns + 0.5) / len(mask) * 2 - 1, (rows + 0.5) / len(mask) * 2 - 1], 1)

    def loss(self, batch, network):
        position = network(batch["gray"])
        return {
            "position": losses.position_loss(position, batch["position"], self.weight, self.landmarks),
            "pose": losses.pose_loss(position, batch["position"], self.network.mean) * self.pose,
        }

    def check(self, batch, network):
        """Mean distance of the 68 points in percent of the crop's side."""
        grid = self.landmarks[None, None].expand(len(batch["gray"]), 1, -1, 2)
        error = F.grid_sample(network(batch["gray"]) - batch["position"], grid, align_corners=False)[:, :2, 0]
        return {"points_percent": error.norm(dim=1).mean(1) * 50}


class CoarseTask:
    """Stage 1: the normal of renders without their finest relief; on photos the shape of their fits.

    A fit knows eyes, nose and lips but no folds, and a network held to it everywhere learns to see no folds on photos.
    So photos are held to it in the broad, and pixel by pixel only where skin is not bare; on bare skin the folds must
    explain the photo's own light.
    """

    name, size, learning_rate = "coarse", 256, 1.5e-3
    broad = 6.0  # sigma in pixels of 256
    folds = 1.5, 8.0  # the band whose light the folds of a photo must explain
    # Renders alone leave photos too flat: with 0.05 in the broad and 0.125 of the fit the network is off the landmark
    # mesh by 8.8 degrees, with 0.5 and 0.25 by 8.15.
    # "forms" asks what sets a pair of renders apart (dataset.FaceSamples, antithetic): held to the truth only, a network
    # tells what faces are like and shows hardly a tenth of a change of form (evaluation.response).
    weights = {"normal": 1.0, "gradient": 0.3, "broad": 1.25, "fit": 0.375, "photometric": 0.05, "forms": 0.5}

    def __init__(self):
        self.network = CoarseNetwork()

    def loss(self, batch, network):
        normal = network(batch["gray"])
        rendered = batch["rendered"] > 0.5
        terms = {}
        if rendered.any():
            ours, truth, weight = normal[rendered], batch["smooth"][rendered], batch["weight"][rendered]
            terms["normal"] = losses.normal_loss(ours, truth, weight)
            terms["gradient"] = losses.gradient_loss(ours, truth, weight)
        second = batch["second"][1:].nonzero().flatten() + 1
        if len(second):
            ours, truth = (n[second] - n[second - 1] for n in (normal, batch["smooth"]))
            terms["forms"] = losses.weighted_mean((ours - truth).square().sum(1), batch["weight"][second])
        if (~rendered).any():
            ours, fit, weight = normal[~rendered], batch["smooth"][~rendered], batch["weight"][~rendered]
            known = (weight > 0)[:, None]
            broad = [unit(losses.blur(n * known, self.broad)) for n in (ours, fit)]
            terms["broad"] = losses.normal_loss(*broad, weight)
            bare = batch["skin"][~rendered]
            terms["fit"] = losses.normal_loss(ours, fit, weight * (1 - 0.9 * bare))
            terms["photometric"] = losses.photometric_loss(batch["clean"][~rendered], ours, bare, self.folds)
        share = rendered.float().mean()
        return {
            name: value * self.weights[name] * (share if name in {"normal", "gradient", "forms"} else 1 - share)
            for name, value in terms.items()
        }

    def check(self, batch, network):
        """Mean angle in degrees."""
        return {"angle": _mean_angle(network(batch["gray"]), batch["smooth"], batch["weight"])}


class FineTask:
    """Stage 2: supervised relief on renders; on photos the exemplar (eq. 8) and the photo's own fine light."""

    name, size, learning_rate = "fine", 256, 1e-3
    patch, parts = 160, 2  # relief is local: parts of the picture train as well as the whole, and are cheaper
    # More of the photometric term copies paint into relief: it explains the photo's light at the cost of the angles.
    weights = {"normal": 0.4, "detail": 1.0, "gradient": 0.5, "exemplar": 0.5, "photometric": 0.06, "perceptual": 0.0}
    band = 4.0  # sigma in pixels of 256: a little more than what geometry.band_merge takes of the fine network

    _pictures = {"gray", "clean", "normal", "smooth", "weight", "skin", "target"}

    def __init__(self, coarse):
        self.network, self.coarse, self.bank = FineNetwork(), coarse.eval(), losses.FilterBank()

    def exemplar(self, gray):
        """The coarse network's normal at its own size."""
        with torch.no_grad():
            side = self.coarse.input_size
            return self.coarse(F.interpolate(gray, (side, side), mode="area"))

    def loss(self, batch, network):
        exemplar = self.exemplar(batch["gray"])
        batch = batch | {"target": unit(F.interpolate(exemplar, batch["gray"].shape[2:], mode="bilinear"))}
        batch = self._parts(batch)
        target, exemplar = batch["target"], exemplar.repeat(self.parts, 1, 1, 1)
        normal = network(batch["gray"], exemplar)
        rendered = batch["rendered"] > 0.5
        terms = {}
        if rendered.any():
            ours, truth, weight = normal[rendered], batch["normal"][rendered], batch["weight"][rendered]
            terms["normal"] = losses.normal_loss(ours, truth, weight)
            terms["detail"] = losses.detail_loss(ours, truth, weight, self.band)
            terms["gradient"] = losses.gradient_loss(ours, truth, weight)
        if (~rendered).any():
            photo = ~rendered
            terms["exemplar"] = losses.reconstruction_loss(
                losses.blur(normal[photo], self.band), target[photo], batch["weight"][photo]
            )
            terms["photometric"] = losses.photometric_loss(batch["clean"][photo], normal[photo], batch["skin"][photo])
            if self.weights["perceptual"]:
                terms["perceptual"] = losses.perceptual_loss(
                    self.bank, batch["clean"][photo], normal[photo], batch["skin"][photo]
                )
        return {name: value * self.weights[name] for name, value in terms.items()}

    def _parts(self, batch):
        """`parts` random squares of each sample, as one batch: drawing a sample costs more than learning from it."""
        corners = torch.randint(self.size - self.patch + 1, (self.parts, 2)).tolist()
        return {
            name: torch.cat(
                [
                    value[..., y : y + self.patch, x : x + self.patch] if name in self._pictures else value
                    for y, x in corners
                ]
            )
            for name, value in batch.items()
        }

    def check(self, batch, network):
        """Mean angle in degrees; on renders the loss of the detail; on photos 1 - R2 of their fine light."""
        normal = network(batch["gray"], self.exemplar(batch["gray"]))
        rendered = batch["rendered"] > 0.5
        return {
            "angle": _mean_angle(normal, batch["normal"], batch["weight"]),
            "detail": _each(
                partial(losses.detail_loss, sigma=self.band), rendered, normal, batch["normal"], batch["weight"]
            ),
            "unexplained": _each(losses.photometric_loss, ~rendered, batch["clean"], normal, batch["skin"]),
        }


def _each(loss, chosen, *maps):
    """A loss of maps (N, ...) for each sample that is chosen (N,) bool, alone: (M,)."""
    values = [loss(*(m[i : i + 1] for m in maps)) for i in chosen.nonzero().flatten()]
    return torch.stack(values) if values else torch.zeros(0)


def _mean_angle(normal, target, weight):
    return (losses.angle(normal, target) * weight).sum((1, 2)) / weight.sum((1, 2)).clamp_min(1)
