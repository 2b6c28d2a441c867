# SPDX-License-Identifier: GPL-3.0-or-later
"""Import of the published checkpoints: read safely, checked, kept as safetensors.

They are pickles for research use only. No code in them is run: `weights_only=True` refuses everything but tensors and
plain containers.
"""

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from platformdirs import user_data_path
from safetensors.torch import save_file
from torch import nn

from hffne.errors import OutputError, WeightsError
from hffne.file_set import FileSet
from hffne.networks.paper import PaperCoarseNetwork, PaperFineNetwork

LICENSE = (
    "Imported from the published HFFNE checkpoints, which their authors give for research use only. "
    "Do not pass this file on, and do not use it commercially."
)
# The published checkpoints have 0.2 and 0.5 GB.
MOST_BYTES = 2 << 30
_WRONG_FILE = (
    "Give ExemplarModel.pkl as the exemplar and RefinerModel.pt as the refiner, as their authors publish them."
)


def paper_weights_folder() -> Path:
    """The folder of imported weights: the variable HFFNE_WEIGHTS, or one in the user's data folder."""
    named = os.environ.get("HFFNE_WEIGHTS")
    return Path(named) if named else user_data_path("hffne", appauthor=False) / "weights"


def import_paper_weights(exemplar: str | Path, refiner: str | Path, folder: str | Path | None = None) -> list[Path]:
    """Check both checkpoints and write ``paper_coarse.safetensors`` and ``paper_fine.safetensors``: their paths.

    Nothing is written unless both are valid. Raises WeightsError, naming the first wrong tensor or the reason why the
    file is wrong, and OutputError.
    """
    folder = Path(folder or paper_weights_folder())
    coarse = _matching(PaperCoarseNetwork(), _read(exemplar), exemplar)
    whole = _read(refiner)
    if not isinstance(whole, dict) or not {"NormalEncoder", "NormalDecoder"} <= whole.keys():
        raise WeightsError(
            f"'{refiner}' is not the refiner's checkpoint: it has no NormalEncoder and NormalDecoder.", hint=_WRONG_FILE
        )
    parts = {
        f"{part}.{name}": value
        for part in ("NormalEncoder", "NormalDecoder")
        for name, value in _plain(whole[part], refiner).items()
    }
    fine = _matching(PaperFineNetwork(), parts, refiner)
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileSet() as files:
            for name, state in (("paper_coarse", coarse), ("paper_fine", fine)):
                save_file(state, files.add(folder / f"{name}.safetensors"), {"license": LICENSE})
            written = files.commit()
    except OSError as error:
        raise OutputError(
            f"The weights cannot be written to '{folder}': {error.strerror}.",
            hint="Set HFFNE_WEIGHTS to a folder that you may write to, with 600 MB free.",
        ) from error
    return list(written)


def _read(file: str | Path) -> Any:
    """A checkpoint's content. Raises WeightsError."""
    path = Path(file)
    if not path.is_file():
        raise WeightsError(f"There is no file '{path}'.", hint="Check the path.")
    try:
        if _unpacked_bytes(path) > MOST_BYTES:
            raise WeightsError(f"'{path.name}' has more than {MOST_BYTES >> 30} GB.", hint=_WRONG_FILE)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"'{path.name}' holds more than tensors, or is damaged; no code in it was run.", hint=_WRONG_FILE
        ) from error
    except (
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
    ) as error:
        raise WeightsError(
            f"'{path.name}' is damaged or not a checkpoint.",
            hint="Download it again and compare its size with the published one.",
        ) from error


def _unpacked_bytes(path: Path) -> int:
    """The size of a checkpoint in memory: torch writes a zip file, or did not before version 1.6."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _plain(state: Any, path: str | Path) -> dict[str, Any]:
    """A state dict without the prefix "module." of training on several GPUs. Raises WeightsError."""
    if not isinstance(state, dict) or not all(isinstance(k, str) for k in state):
        raise WeightsError(f"'{path}' is not a state dict of a network.", hint=_WRONG_FILE)
    return {name.removeprefix("module."): value for name, value in state.items()}


def _matching(network: nn.Module, checkpoint: Any, path: str | Path) -> dict[str, torch.Tensor]:
    """The network's tensors from a checkpoint, in the network's order and types. Raises WeightsError."""
    state, chosen = _plain(checkpoint, path), {}
    for name, expected in network.state_dict().items():
        value = state.get(name)
        if not isinstance(value, torch.Tensor):
            raise WeightsError(f"'{path}' has no tensor {name}.", hint=_WRONG_FILE)
        if value.shape != expected.shape:
            raise WeightsError(
                f"'{path}': tensor {name} is {tuple(value.shape)}, not {tuple(expected.shape)}.", hint=_WRONG_FILE
            )
        if not torch.isfinite(value).all():
            raise WeightsError(f"'{path}': tensor {name} holds values that are not finite.", hint=_WRONG_FILE)
        chosen[name] = value.to(expected.dtype).contiguous()
    return chosen
