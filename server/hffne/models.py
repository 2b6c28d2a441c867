# SPDX-License-Identifier: GPL-3.0-or-later
"""The trained networks with numpy arrays as input and output."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import nn

from hffne.crop_levels import Area
from hffne.errors import DeviceError, ModelError, WeightsMissingError
from hffne.geometry.vectors import length_of
from hffne.networks.coarse import CoarseNetwork
from hffne.networks.feature import FeatureNetwork
from hffne.networks.fine import FineNetwork
from hffne.networks.inference import prepare
from hffne.networks.paper import PaperCoarseNetwork, PaperFineNetwork
from hffne.networks.parsing import ParsingNetwork
from hffne.networks.pixels import PixelNetwork
from hffne.networks.prn import PositionMapNetwork
from hffne.networks.refiners import Refiner
from hffne.networks.shading import ShadingNetwork
from hffne.networks.tiles import tiled
from hffne.photo.crop import CROP
from hffne.weights.paper import paper_weights_folder
from hffne.weights.store import FOLDER, check_is_there, empty, load_weights
from hffne.weights.trained import TrainedFile, check_pair, find_trained

Network = TypeVar("Network", bound=nn.Module)


def pick_device(name: str | None = None) -> torch.device:
    """The torch device of `name` ("cuda", "xpu", "mps", "cpu", "cuda:1"), or the fastest available when None or "auto".

    Raises HffneError when the named device is not available.
    """
    available: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "xpu": lambda: hasattr(torch, "xpu") and torch.xpu.is_available(),
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if not name or name == "auto":
        return torch.device(next(kind for kind, is_available in available.items() if is_available()))
    try:
        device = None if isinstance(name, int) else torch.device(name)
    except (RuntimeError, TypeError):
        device = None
    if device is None or device.type not in available or not available[device.type]():
        names = ", ".join(kind for kind, is_available in available.items() if is_available())
        raise DeviceError(f"There is no device {name!r} here", hint=f"Choose one of: {names}.")
    return device


def device_name(device: torch.device) -> str:
    """The device's name for the user, e.g. the GPU's model."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    count = torch.get_num_threads()
    return {"xpu": "Intel GPU", "mps": "Apple GPU", "cpu": f"CPU, {count} thread{'s' * (count > 1)}"}[device.type]


_FILES = ("coarse.safetensors", "fine.safetensors")


class FurtherNetworks:
    """What looks at a photo beside the three networks of the method; each is loaded when it is first used.

    folder: of the shipped weights; None leaves the networks untrained. Raises WeightsMissingError for a file that is
    not there, and at the first use WeightsError for a damaged one.
    """

    def __init__(self, device: torch.device, folder: Path | None) -> None:
        self._device, self._folder = device, folder
        for name in ("parsing", "shading", "eyes", "mouth") if folder else ():
            check_is_there(self._path(name))

    @cached_property
    def parsing(self) -> ParsingNetwork:
        """The parts of a face."""
        return self._loaded(ParsingNetwork, "parsing")

    @cached_property
    def shading(self) -> ShadingNetwork:
        """What takes the light out of the colors; only some maps need it."""
        return self._loaded(ShadingNetwork, "shading")

    @cached_property
    def eyes(self) -> FeatureNetwork:
        """Truer normals round the lids; the published model does without."""
        return self._loaded(FeatureNetwork, "eyes")

    @cached_property
    def mouth(self) -> FeatureNetwork:
        """The same round the lips."""
        return self._loaded(FeatureNetwork, "mouth")

    def load(self) -> None:
        """Load all of them. Raises WeightsError."""
        for network in (self.parsing, self.shading, self.eyes, self.mouth):
            assert network is not None

    def _loaded(self, make: Callable[[], Network], name: str) -> Network:
        network = load_weights(empty(make), self._path(name)) if self._folder else make()
        return prepare(network, self._device)

    def _path(self, name: str) -> Path:
        return Path(self._folder or "") / f"{name}.safetensors"


@dataclass
class Models:
    """The networks on one device. All photos are gray crops (S, S) float32 in 0..1, in color for the parts.

    name     the configuration, "compact" or "paper"
    trained  the files of the networks that the user trained, by role
    half     compute in half precision (float16), for GPUs; but for the position map, eyes, mouth and the last layers
    """

    name: str
    device: torch.device
    prn: PositionMapNetwork
    coarse_network: CoarseNetwork | PaperCoarseNetwork
    fine_network: Refiner
    further: FurtherNetworks
    trained: Mapping[str, TrainedFile] = field(default_factory=dict)
    half: bool = False

    # Several crops at once take less time than one after the other, most of all those of the small networks.

    @torch.inference_mode()
    def position_map(self, gray: np.ndarray) -> np.ndarray:
        """Crops (..., 256, 256) -> position maps (..., U, U, 3) in their pixels: x right, y down, z toward the
        viewer."""
        # In float32: its last bits decide how the crop is rounded; half precision would move normals by 0.2 degrees.
        out = self.prn(self._pictures(gray, self.prn.input_size)).permute(0, 2, 3, 1).cpu().numpy()
        out = (out + np.array([1, 1, 0], np.float32)) * np.float32(CROP / 2) - np.array([0.5, 0.5, 0], np.float32)
        return out.reshape(*gray.shape[:-2], *out.shape[1:])

    @torch.inference_mode()
    def coarse(self, gray: np.ndarray) -> np.ndarray:
        """Crops (..., S, S) -> exemplar normals (..., S, S, 3): unit, camera space."""
        with self._precision():
            maps = self.coarse_network(self._pictures(gray, self.coarse_network.input_size))
        maps = maps.permute(0, 2, 3, 1).float().cpu().numpy()
        out = np.stack([cv2.resize(each, gray.shape[:-3:-1], interpolation=cv2.INTER_CUBIC) for each in maps])
        out /= np.maximum(length_of(out), 1e-6)[..., None]
        return out.reshape(*gray.shape, 3)

    def fine(self, gray: np.ndarray, exemplar: np.ndarray, area: Area | None = None) -> np.ndarray:
        """Crop (S, S), S a multiple of 32, and exemplar (S, S, 3) -> fine normal (S, S, 3): unit, camera space.

        area: rows and columns, multiples of 32, beside which the exemplar is returned. Large crops are computed in
        tiles that share the exemplar's vector and the picture's contrast.
        """
        return self.fine_together([gray], [exemplar], [area])[0]

    @torch.inference_mode()
    def fine_together(
        self, grays: Sequence[np.ndarray], exemplars: Sequence[np.ndarray], areas: Sequence[Area | None]
    ) -> list[np.ndarray]:
        """The same as `fine` of several crops of one size in one pass; their areas have one extent, or all are None."""
        tensor = torch.from_numpy(np.stack([exemplar.transpose(2, 0, 1) for exemplar in exemplars])).to(self.device)
        prepared = self.fine_network.prepared(self._pictures(np.stack(grays)))
        whole = slice(None), slice(None)
        aligned = self.fine_network.aligned  # then no part can be computed alone
        parts = [whole if aligned else area or whole for area in areas]
        picture = torch.stack([one[:, rows, columns] for one, (rows, columns) in zip(prepared, parts, strict=True)])
        with self._precision():
            z = self.fine_network.vector(tensor)
            if aligned:
                made = self.fine_network.normal(picture, z).float().cpu()
            else:
                made = tiled(lambda part: self.fine_network.normal(part, z).float(), picture)
        out = made.permute(0, 2, 3, 1).numpy()
        normals = list(out)
        for index, area in enumerate(areas):
            if area is not None:
                normals[index] = exemplars[index].copy()
                normals[index][area] = out[index][area] if aligned else out[index]
        return normals

    @torch.inference_mode()
    def parts(self, rgb: np.ndarray) -> np.ndarray:
        """Crops (..., S, S, 3) sRGB 0..1, S a multiple of 16 -> how likely each part is, (..., P, S, S) float16.

        The mean over the picture and its mirror image.
        """
        pictures = rgb.reshape(-1, *rgb.shape[-3:])
        both = self._pixels(self.further.parsing, np.stack([pictures, pictures[:, :, ::-1]], 1)).softmax(1)
        plain, mirrored = both[0::2], both[1::2]
        out = ((plain + mirrored.flip(3)) / 2).half().cpu().numpy()
        return out.reshape(*rgb.shape[:-3], *out.shape[1:])

    @torch.inference_mode()
    def gain(self, rgb: np.ndarray) -> np.ndarray:
        """Crops (..., S, S, 3) sRGB 0..1, S a multiple of 16 -> what takes the light out, (..., S, S, 3) float32, see
        `networks.shading`."""
        return self._pixels(self.further.shading, rgb).permute(0, 2, 3, 1).cpu().numpy().reshape(rgb.shape)

    def eyes(self, rgb: np.ndarray, coarse: np.ndarray) -> np.ndarray:
        """Pictures (K, S, S, 3) sRGB 0..1, S a multiple of 16, and their coarse normals (K, S, S, 3) -> truer ones."""
        return self._feature(self.further.eyes, rgb, coarse)

    def mouth(self, rgb: np.ndarray, coarse: np.ndarray) -> np.ndarray:
        """The same of mouths."""
        return self._feature(self.further.mouth, rgb, coarse)

    @torch.inference_mode()
    def _feature(self, network: FeatureNetwork, rgb: np.ndarray, coarse: np.ndarray) -> np.ndarray:
        inputs = (torch.from_numpy(np.ascontiguousarray(a.transpose(0, 3, 1, 2), np.float32)) for a in (rgb, coarse))
        # In float32: these networks are small, and half precision would move single normals by a fifth of a degree.
        normal = network(*(a.to(self.device).contiguous(memory_format=torch.channels_last) for a in inputs))
        return normal.permute(0, 2, 3, 1).cpu().numpy()

    def _pixels(self, network: PixelNetwork, rgb: np.ndarray) -> torch.Tensor:
        """What a network tells of each pixel of pictures (..., S, S, 3): (N, C, S, S) float32."""
        batch = rgb.reshape(-1, *rgb.shape[-3:]).transpose(0, 3, 1, 2)
        with self._precision():
            return network(
                torch.from_numpy(np.ascontiguousarray(batch, np.float32))
                .to(self.device)
                .contiguous(memory_format=torch.channels_last)
            ).float()

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.float16, enabled=self.half)

    def _pictures(self, gray: np.ndarray, side: int | None = None) -> torch.Tensor:
        """Crops (..., S, S) as a tensor (N, 1, S, S) on the device, resized to `side` where given."""
        gray = gray.reshape(-1, 1, *gray.shape[-2:])
        if side and gray.shape[-2:] != (side, side):
            gray = np.stack([cv2.resize(each[0], (side, side), interpolation=cv2.INTER_AREA)[None] for each in gray])
        return torch.from_numpy(np.ascontiguousarray(gray, np.float32)).to(self.device)


def load_models(
    device: str | torch.device | None = None,
    model: str = "compact",
    folder: Path = FOLDER,
    stochastic: bool = False,
    weights: str | Path | None = None,
) -> Models:
    """Load the networks of a configuration.

    model: "compact" (shipped) or "paper" (imported by the user, see `weights.paper`; its position maps are the compact
    network's). stochastic: keep the published coarse network's dropout on. weights: a folder of networks that the user
    trained, which take the place of the configuration's (`weights.trained`).
    Raises DeviceError, ModelError for an unknown configuration, WeightsMissingError, WeightsError.
    """
    device = device if isinstance(device, torch.device) else pick_device(device)
    trained = find_trained(weights) if weights else {}
    if model not in ("compact", "paper"):
        raise ModelError(f"The model {model!r} is not known", hint="Use compact or paper.")
    published = model == "paper"
    coarse_path, fine_path = ((paper_weights_folder() / f"paper_{n}" if published else folder / n) for n in _FILES)
    if published and not {"coarse", "fine"} <= trained.keys() and not fine_path.is_file():
        raise WeightsMissingError(
            "The published weights have not been imported yet",
            hint="Run: hffne weights import --exemplar ExemplarModel.pkl --refiner RefinerModel.pt",
        )
    further = FurtherNetworks(device, folder)
    prn = (
        trained["prn"].prn()
        if "prn" in trained
        else load_weights(empty(PositionMapNetwork), folder / "prn.safetensors")
    )
    coarse: CoarseNetwork | PaperCoarseNetwork
    fine: Refiner
    if "coarse" in trained:
        coarse, coarse_path = trained["coarse"].coarse(stochastic), trained["coarse"].path
    else:
        coarse = load_weights(PaperCoarseNetwork(stochastic) if published else empty(CoarseNetwork), coarse_path)
    if "fine" in trained:
        check_pair(trained["fine"], coarse_path)
        fine = trained["fine"].fine()
    else:
        fine = load_weights(PaperFineNetwork() if published else empty(FineNetwork), fine_path)
    name = "paper" if (trained["fine"].published if "fine" in trained else published) else "compact"
    if name == "paper":
        # Not `prepare`: its rounding would change the published results.
        return Models(
            name, device, prn.eval().to(device), coarse.eval().to(device), fine.eval().to(device), further, trained
        )
    prn, coarse, fine = prepare(prn, device), prepare(coarse, device), prepare(fine, device)
    return Models(name, device, prn, coarse, fine, further, trained)


def untrained_paper_models(device: torch.device) -> Models:
    """The published widths with random weights: as fast as the trained ones, for `hffne bench --against paper`."""
    prn, coarse, fine = (
        prepare(PositionMapNetwork(), device),
        prepare(PaperCoarseNetwork(), device),
        prepare(PaperFineNetwork(), device),
    )
    return Models("paper", device, prn, coarse, fine, FurtherNetworks(device, None))
