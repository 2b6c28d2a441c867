# SPDX-License-Identifier: GPL-3.0-or-later
"""What the perceptual term compares (equation 9): relu1_2 of VGG19 where its weights exist, a filter bank otherwise."""

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from hffne.errors import WeightsError
from hffne.training.losses import FilterBank

_LAYERS = ("0.weight", "0.bias", "2.weight", "2.bias")
_PREFIXES = ("", "features.", "NormalEncoder.vgg.vgg_feature.", "vgg.vgg_feature.", "module.features.")


def read_vgg(path):
    """The convolutions of VGG19 by torchvision's names ("0.weight", ...), from torchvision's file or an imported refiner.

    Nothing in the file is run. Raises WeightsError.
    """
    path, hint = Path(path), "Give torchvision's vgg19 file, or the imported paper_fine.safetensors."
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                state = {name: file.get_tensor(name) for name in file}
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"There is no file '{path}'.", hint=hint) from None
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError, SafetensorError) as error:
        raise WeightsError(f"'{path}' is damaged or no file of weights; nothing in it was run.", hint=hint) from error
    for prefix in _PREFIXES:
        found = {
            name[len(prefix) :]: value
            for name, value in state.items()
            if name.startswith(prefix) and name[len(prefix) :].split(".")[0].isdigit()
        }
        if all(layer in found for layer in _LAYERS) and found["0.weight"].shape == (64, 3, 3, 3):
            return found
    raise WeightsError(f"'{path}' holds no VGG19: it has no features.0.weight of 64 x 3 x 3 x 3.", hint=hint)


class Relu12(nn.Module):
    """Color pictures (N, 3, H, W) in 0..1 -> VGG19's relu1_2 (N, 64, H, W); fixed."""

    def __init__(self, state):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1), nn.ReLU(), nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU())
        self.body.load_state_dict({layer: state[layer] for layer in _LAYERS})
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.requires_grad_(False)

    def forward(self, picture):
        return self.body((picture - self.mean) / self.deviation)


class Perceptual(nn.Module):
    """L1 between the features of the photo and of the normal, meaned over features, within the weight (N, H, W)."""

    def __init__(self, vgg=None):
        super().__init__()
        self.encoder = Relu12(vgg) if vgg else FilterBank()
        self.color = bool(vgg)

    def forward(self, gray, normal, weight):
        if self.color:
            ours, photo = self.encoder(normal * 0.5 + 0.5), self.encoder(gray.expand(-1, 3, -1, -1))
        else:
            ours, photo = self.encoder(normal.mean(1, keepdim=True)), self.encoder(gray)
        difference = (photo - ours).abs().mean(1)
        return (difference * weight).sum() / weight.sum().clamp_min(1)
