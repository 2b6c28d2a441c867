# SPDX-License-Identifier: GPL-3.0-or-later
"""The trained networks behind plain arrays: numpy in, numpy out, torch inside."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from hffne.errors import DeviceError, ModelError, WeightsMissingError
from hffne.networks.coarse import CoarseNetwork
from hffne.networks.fine import FineNetwork
from hffne.networks.inference import prepare
from hffne.networks.paper import PublishedCoarse, PublishedFine
from hffne.networks.prn import PositionMapNetwork
from hffne.networks.tiles import tiled
from hffne.weights.paper import official_folder
from hffne.weights.store import FOLDER, load_weights

CROP = 256  # the size in whose pixels position maps are given


def pick_device(name=None):
    """The torch device of `name` ("cuda", "xpu", "mps", "cpu", "cuda:1"), or the best one when None or "auto".

    Raises HffneError when the named device is not there.
    """
    available = {
        "cuda": torch.cuda.is_available,
        "xpu": lambda: hasattr(torch, "xpu") and torch.xpu.is_available(),
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if name in (None, "", "auto"):
        return torch.device(next(kind for kind, there in available.items() if there()))
    kind = name.split(":")[0]
    if kind not in available or not available[kind]():
        there = ", ".join(kind for kind, found in available.items() if found())
        raise DeviceError(f"There is no device {name!r} here", hint=f"Choose one of: {there}.")
    return torch.device(name)


def device_name(device):
    """What people call the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return {"xpu": "Intel GPU", "mps": "Apple GPU", "cpu": f"CPU, {torch.get_num_threads()} threads"}[device.type]


@dataclass
class Models:
    """PRN, coarse and fine network on one device. All pictures are gray float32 in 0..1."""

    name: str
    device: torch.device
    prn: PositionMapNetwork
    coarse_network: CoarseNetwork | PublishedCoarse
    fine_network: FineNetwork | PublishedFine

    @torch.inference_mode()
    def position_map(self, gray):
        """Crop (256, 256) -> position map (U, U, 3) in its pixels: x right, y down, z toward the viewer."""
        out = self.prn(self._picture(gray, self.prn.input_size))[0].permute(1, 2, 0).cpu().numpy()
        return (out + np.float32([1, 1, 0])) * np.float32(CROP / 2) - np.float32([0.5, 0.5, 0])

    @torch.inference_mode()
    def coarse(self, gray):
        """Crop (S, S) -> exemplar normal (S, S, 3): unit, camera space."""
        out = self.coarse_network(self._picture(gray, self.coarse_network.input_size))[0].permute(1, 2, 0).cpu().numpy()
        out = cv2.resize(out, gray.shape[::-1], interpolation=cv2.INTER_CUBIC)
        return out / np.maximum(np.linalg.norm(out, axis=2, keepdims=True), 1e-6)

    @torch.inference_mode()
    def fine(self, gray, exemplar):
        """Crop (S, S), S a multiple of 32, and exemplar (s, s, 3) -> fine normal (S, S, 3): unit, camera space.

        Large crops run in tiles that share the exemplar's vector and the picture's contrast.
        """
        exemplar = torch.from_numpy(np.ascontiguousarray(exemplar.transpose(2, 0, 1)[None])).to(self.device)
        z = self.fine_network.vector(exemplar)
        out = tiled(lambda part: self.fine_network.normal(part, z), self.fine_network.prepared(self._picture(gray)))
        return out[0].permute(1, 2, 0).numpy()

    def _picture(self, gray, side=None):
        if side and gray.shape != (side, side):
            gray = cv2.resize(gray, (side, side), interpolation=cv2.INTER_AREA)
        return torch.from_numpy(np.ascontiguousarray(gray, np.float32))[None, None].to(self.device)


def load_models(device=None, model="compact", folder=FOLDER, stochastic=False):
    """Load the networks of a configuration: "compact" (shipped) or "paper" (imported by the user, see
    `weights.paper`; its position maps are the compact network's). Raises HffneError for what is missing.
    """
    device = device if isinstance(device, torch.device) else pick_device(device)
    prn = load_weights(PositionMapNetwork(), folder / "prn.safetensors")
    if model == "compact":
        networks = (
            prn,
            load_weights(CoarseNetwork(), folder / "coarse.safetensors"),
            load_weights(FineNetwork(), folder / "fine.safetensors"),
        )
    elif model == "paper":
        imported = official_folder()
        if not (imported / "paper_fine.safetensors").is_file():
            raise WeightsMissingError(
                "The published weights have not been imported yet",
                hint="Run: hffne weights import --exemplar ExemplarModel.pkl --refiner RefinerModel.pt",
            )
        networks = (
            prn,
            load_weights(PublishedCoarse(stochastic), imported / "paper_coarse.safetensors"),
            load_weights(PublishedFine(), imported / "paper_fine.safetensors"),
        )
        # As published, to the last bit.
        return Models(model, device, *(network.eval().to(device) for network in networks))
    else:
        raise ModelError(f"The model {model!r} is not known", hint="Use compact or paper.")
    return Models(model, device, *(prepare(network, device) for network in networks))


def untrained_paper_models(device):
    """The published widths with random weights: as slow as the real ones, for `hffne bench --against paper`."""
    networks = PositionMapNetwork(), PublishedCoarse(), PublishedFine()
    return Models("paper", device, *(prepare(network, device) for network in networks))
