# SPDX-License-Identifier: GPL-3.0-or-later
"""The perceptual term (equation 9): features of the photo against features of the normal.

The features are relu1_2 of VGG19 where its weights are given, else those of a bank of filters.
"""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from torch import nn
from torch.nn import functional as F

from hffne.errors import WeightsError
from hffne.geometry.explained_luminance import blur
from hffne.training.losses import weighted_mean

State: TypeAlias = dict[str, torch.Tensor]

_LAYERS = ("0.weight", "0.bias", "2.weight", "2.bias")
_PREFIXES = ("", "features.", "NormalEncoder.vgg.vgg_feature.", "vgg.vgg_feature.", "module.features.")


def read_vgg(path: str | Path) -> State:
    """The convolutions of VGG19 by torchvision's names ("0.weight", ...).

    path: torchvision's file or an imported refiner. Nothing in the file is run. Raises WeightsError.
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
        raise WeightsError(
            f"'{path}' is damaged or not a file of weights; nothing in it was run.", hint=hint
        ) from error
    for prefix in _PREFIXES:
        convolutions = {
            name[len(prefix) :]: value
            for name, value in state.items()
            if name.startswith(prefix) and name[len(prefix) :].split(".")[0].isdigit()
        }
        if all(layer in convolutions for layer in _LAYERS) and convolutions["0.weight"].shape == (64, 3, 3, 3):
            return convolutions
    raise WeightsError(f"'{path}' is not a file of VGG19: it has no features.0.weight of 64 x 3 x 3 x 3.", hint=hint)


class Relu12(nn.Module):
    """Color pictures (N, 3, H, W) in 0..1 -> VGG19's relu1_2 (N, 64, H, W); fixed."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1), nn.ReLU(), nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU())
        self.body.load_state_dict({layer: state[layer] for layer in _LAYERS})
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.requires_grad_(False)

    mean: torch.Tensor
    deviation: torch.Tensor

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """See the class."""
        features: torch.Tensor = self.body((picture - self.mean) / self.deviation)
        return features


class FilterBank(nn.Module):
    """A fixed stand-in for VGG19's relu1_2: rectified oriented derivatives at three scales, contrast-normalized."""

    sigmas = (0.7, 1.4, 2.8)  # in pixels

    def forward(self, gray: torch.Tensor) -> torch.Tensor:
        """(N, 1, H, W) -> features (N, 12, H, W)."""
        features = []
        for sigma in self.sigmas:
            smooth = blur(gray, sigma)
            dx = F.pad(smooth[..., :, 2:] - smooth[..., :, :-2], (1, 1, 0, 0))
            dy = F.pad(smooth[..., 2:, :] - smooth[..., :-2, :], (0, 0, 1, 1))
            energy = (dx.square() + dy.square()).mean((1, 2, 3), keepdim=True).add(1e-6).sqrt()
            features += [F.relu(dx / energy), F.relu(-dx / energy), F.relu(dy / energy), F.relu(-dy / energy)]
        return torch.cat(features, 1)


def perceptual_loss(
    bank: Callable[[torch.Tensor], torch.Tensor], gray: torch.Tensor, normal: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    """L1 between the features of the photo and of the normal (eq. 9); the normal as its mean channel."""
    difference = bank(gray) - bank(normal.mean(1, keepdim=True))
    return weighted_mean(difference.abs().mean(1), weight)


class Perceptual(nn.Module):
    """L1 between the features of the photo and of the normal, averaged over features, within the weight (N, H, W)."""

    def __init__(self, vgg: State | None = None) -> None:
        """vgg: see `read_vgg`, or None for the filter bank."""
        super().__init__()
        self.encoder: Relu12 | FilterBank = Relu12(vgg) if vgg else FilterBank()
        self.color = bool(vgg)

    def forward(
        self, gray: torch.Tensor, normal: torch.Tensor, weight: torch.Tensor, color: torch.Tensor | None = None
    ) -> torch.Tensor:
        """gray (N, 1, H, W) and color (N, 3, H, W) in 0..1, unit normals (N, 3, H, W) -> the mean difference.

        color: the gray picture by default; the filter bank takes that in any case.
        """
        if self.color:
            picture = gray if color is None else color
            ours, photo = self.encoder(normal * 0.5 + 0.5), self.encoder(picture.expand(-1, 3, -1, -1))
        else:
            ours, photo = self.encoder(normal.mean(1, keepdim=True)), self.encoder(gray)
        difference = (photo - ours).abs().mean(1)
        return (difference * weight).sum() / weight.sum().clamp_min(1)
