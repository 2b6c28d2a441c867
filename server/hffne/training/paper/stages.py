# SPDX-License-Identifier: GPL-3.0-or-later
"""The two stages' losses. A stage owns its networks; `turns` names who learns in which order within a step."""

import torch
from torch.nn import functional as F

from hffne.errors import ConfigurationError
from hffne.networks.blocks import unit
from hffne.networks.coarse import CoarseNetwork
from hffne.networks.discriminator import PatchDiscriminator
from hffne.networks.fine import FineNetwork
from hffne.networks.paper import PublishedCoarse, PublishedFine
from hffne.networks.variants import Variant
from hffne.training.paper.perceptual import Perceptual


def coarse_network(config):
    return PublishedCoarse() if config["model"] == "paper" else CoarseNetwork(-(-config["size"] // 64) * 64)


def fine_network(config):
    variant = Variant(config["fine"]["architecture"], config["fine"]["modulation"])
    return PublishedFine(variant) if config["model"] == "paper" else FineNetwork(variant=variant)


def at_its_size(network, gray):
    """The coarse network's normal of a gray face, at the face's size."""
    side = network.input_size
    if gray.shape[-1] == side:
        return network(gray)
    return unit(F.interpolate(network(F.interpolate(gray, (side, side), mode="area")), gray.shape[2:], mode="bilinear"))


class CoarseStage:
    """Stage 1: the generator against the discriminator, plus L1 to the known normals (pix2pix). Needs labels."""

    name, turns = "coarse", ("discriminator", "generator")

    def __init__(self, config):
        self.weight = config["coarse"]["lambda_l1"]
        self.networks = {
            "generator": coarse_network(config),
            "discriminator": PatchDiscriminator(config["coarse"]["discriminator"]),
        }
        self.fixed = {}

    def loss(self, turn, batch, call, module):
        """Terms whose sum `turn` lowers. call: networks to be trained; module: the same without gradients' exchange."""
        known = (batch["weight"] > 0)[:, None].float()
        true = batch["normal"] * known
        if turn == "discriminator":
            with torch.no_grad():
                fake = at_its_size(module["generator"], batch["gray"]) * known
            # Both halves in one pass: one exchange of gradients a pass.
            logits = call["discriminator"](torch.cat([batch["gray"]] * 2), torch.cat([true, fake])).float()
            real, made = logits.chunk(2)
            return {
                "real": 0.5 * F.binary_cross_entropy_with_logits(real, torch.ones_like(real)),
                "made": 0.5 * F.binary_cross_entropy_with_logits(made, torch.zeros_like(made)),
            }
        normal = at_its_size(_Called(call["generator"], module["generator"]), batch["gray"]).float()
        logits = module["discriminator"](batch["gray"], normal * known).float()
        weight = batch["weight"]
        distance = ((normal - true).abs().mean(1) * weight).sum() / weight.sum().clamp_min(1)
        return {
            "adversarial": F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits)),
            "l1": self.weight * distance,
        }

    def show(self, batch, module):
        """Pictures (N, 3, H, W) in 0..1 to look at."""
        return [
            batch["gray"].expand(-1, 3, -1, -1),
            at_its_size(module["generator"], batch["gray"]) * 0.5 + 0.5,
            batch["normal"] * 0.5 + 0.5,
        ]


class FineStage:
    """Stage 2: smooth-L1 to the exemplar, times lambda_ref, plus the perceptual term (equations 8-10). No labels."""

    name, turns = "fine", ("fine",)

    def __init__(self, config, coarse, vgg=None, exemplar=None):
        """coarse: the trained exemplar network. vgg: `perceptual.read_vgg`, or None for the filter bank.
        exemplar: unit normals (3, S, S) that take the exemplar's place for every face, or None."""
        self.config, self.weight = config, config["fine"]["lambda_ref"]
        network = fine_network(config)
        if vgg and config["model"] == "paper" and hasattr(network, "NormalEncoder"):
            # The paper's E_R starts from the pretrained VGG19, which stays as it is.
            part = network.NormalEncoder.vgg["vgg_feature"]
            part.load_state_dict({name: vgg[name] for name in part.state_dict()})
            part.requires_grad_(False)
        self.networks = {"fine": network}
        self.fixed = {"coarse": coarse.eval().requires_grad_(False), "perceptual": Perceptual(vgg)}
        self.own = exemplar

    def exemplar(self, batch):
        if self.own is not None:
            return self.own.to(batch["gray"]).expand(len(batch["gray"]), -1, -1, -1)
        if self.config["fine"]["exemplar"] == "base":
            if "base" not in batch:
                raise ConfigurationError(
                    "These photos have no base mesh for an exemplar.",
                    hint="Train on a set of `hffne train data`, or choose another exemplar.",
                )
            return unit(batch["base"] + torch.tensor([0.0, 0.0, 1e-4]).to(batch["base"]).view(1, 3, 1, 1))
        with torch.no_grad():
            normal = at_its_size(self.fixed["coarse"], batch["gray"]).float()
        return normal.roll(1, 0) if self.config["fine"]["exemplar"] == "unpaired" else normal

    def loss(self, turn, batch, call, module):
        exemplar = self.exemplar(batch)
        normal = call["fine"](batch["gray"], exemplar).float()
        area = (batch["weight"] > 0).float()
        distance = F.smooth_l1_loss(normal, exemplar, reduction="none").mean(1)
        return {
            "reconstruction": self.weight * (distance * area).sum() / area.sum().clamp_min(1),
            "perceptual": self.fixed["perceptual"](batch["gray"], normal, area),
        }

    def show(self, batch, module):
        exemplar = self.exemplar(batch)
        return [
            batch["gray"].expand(-1, 3, -1, -1),
            exemplar * 0.5 + 0.5,
            module["fine"](batch["gray"], exemplar) * 0.5 + 0.5,
        ]


class _Called:
    """Called as the wrapped network, with the attributes of the bare one."""

    def __init__(self, call, module):
        self.call, self.input_size = call, module.input_size

    def __call__(self, gray):
        return self.call(gray)
