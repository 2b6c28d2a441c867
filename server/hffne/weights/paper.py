# SPDX-License-Identifier: GPL-3.0-or-later
"""The published checkpoints, which a user may have: read safely, checked, kept as safetensors.

They are pickles for research use only. Nothing in them is ever run: `weights_only=True` refuses whatever is not a
tensor or a plain container.
"""

import os
import pickle
import zipfile
from pathlib import Path

import torch
from platformdirs import user_data_path
from safetensors.torch import save_file

from hffne.errors import OutputError, WeightsError
from hffne.networks.paper import PublishedCoarse, PublishedFine

LICENSE = (
    "Imported from the published HFFNE checkpoints, which their authors give for research use only. "
    "Do not pass this file on, and do not use it commercially."
)
_WRONG_FILE = (
    "Give ExemplarModel.pkl as the exemplar and RefinerModel.pt as the refiner, as their authors publish them."
)


def official_folder():
    """Where imported weights are kept: HFFNE_WEIGHTS, or a folder of the user's own."""
    named = os.environ.get("HFFNE_WEIGHTS")
    return Path(named) if named else user_data_path("hffne", appauthor=False) / "weights"


def import_official(exemplar, refiner, folder=None):
    """Check both checkpoints and write ``paper_coarse.safetensors`` and ``paper_fine.safetensors``: their paths.

    Nothing is written unless both are good. Raises WeightsError that names the first wrong tensor, or what is wrong
    with the file.
    """
    folder = Path(folder or official_folder())
    coarse = _matching(PublishedCoarse(), _read(exemplar), exemplar)
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
    fine = _matching(PublishedFine(), parts, refiner)
    written = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, state in (("paper_coarse", coarse), ("paper_fine", fine)):
            written[folder / f"{name}.safetensors"] = temporary = folder / f"{name}.tmp"
            save_file(state, temporary, {"license": LICENSE})
        for path, temporary in written.items():
            os.replace(temporary, path)
    except OSError as error:
        for temporary in written.values():
            temporary.unlink(missing_ok=True)
        raise OutputError(
            f"The weights cannot be written to '{folder}': {error.strerror}.",
            hint="Set HFFNE_WEIGHTS to a folder that you may write to, with 600 MB free.",
        ) from error
    return list(written)


def _read(path):
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"'{path}' is not there.", hint="Check the path.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"'{path.name}' holds more than tensors, or is damaged; nothing in it was run.", hint=_WRONG_FILE
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
            f"'{path.name}' is damaged or no checkpoint.",
            hint="Download it again and compare its size with the published one.",
        ) from error


def _plain(state, path):
    """A state dict without the prefix that training on several GPUs leaves."""
    if not isinstance(state, dict) or not all(isinstance(k, str) for k in state):
        raise WeightsError(f"'{path}' is no state dict of a network.", hint=_WRONG_FILE)
    return {name.removeprefix("module."): value for name, value in state.items()}


def _matching(network, state, path):
    """The tensors of `state` that the network has, in its own order and types."""
    state, chosen = _plain(state, path), {}
    for name, expected in network.state_dict().items():
        value = state.get(name)
        if not isinstance(value, torch.Tensor):
            raise WeightsError(f"'{path}' has no tensor {name}.", hint=_WRONG_FILE)
        if value.shape != expected.shape:
            raise WeightsError(
                f"'{path}': tensor {name} is {tuple(value.shape)}, not {tuple(expected.shape)}.", hint=_WRONG_FILE
            )
        if not torch.isfinite(value).all():
            raise WeightsError(f"'{path}': tensor {name} holds values that are no numbers.", hint=_WRONG_FILE)
        chosen[name] = value.to(expected.dtype).contiguous()
    return chosen
