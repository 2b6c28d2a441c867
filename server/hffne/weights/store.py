# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights as safetensors in half precision: no code in the file, half the size."""

import os
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from hffne.errors import WeightsError, WeightsMismatchError, WeightsMissingError

FOLDER = Path(__file__).parent
Network = TypeVar("Network", bound=nn.Module)


def save_weights(network: nn.Module, path: str | Path, metadata: dict[str, str]) -> None:
    """Write a network's state as float16, with metadata. The old file stays until the new one is complete."""
    state = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in network.state_dict().items()}
    write_state(state, path, metadata)


def write_state(state: dict[str, torch.Tensor], path: str | Path, metadata: dict[str, str]) -> None:
    """Write tensors by name in their own types. The old file stays until the new one is complete."""
    temporary = Path(path).with_suffix(".tmp")
    temporary.write_bytes(save(state, metadata))  # save_file would make it readable by its owner only
    os.replace(temporary, path)


def load_weights(network: Network, path: str | Path) -> Network:
    """Load a file of `save_weights` into a network as float32.

    Raises WeightsMissingError; WeightsMismatchError, naming the first wrong tensor, when the file belongs to another
    network; WeightsError when it is not a valid safetensors file: its header is checked against its length before
    memory is allocated, and a pickle under its name is refused unread.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsMissingError(f"The weights {path.name} are missing", hint="Reinstall the engine.")
    try:
        with safe_open(path, "pt") as file:
            expected, names = network.state_dict(), set(file.keys())
            for name, value in expected.items():
                if name not in names or tuple(file.get_slice(name).get_shape()) != tuple(value.shape):
                    raise WeightsMismatchError(
                        f"{path.name}: tensor {name} is missing or has another shape",
                        hint="These weights belong to another network.",
                    )
            network.load_state_dict({k: file.get_tensor(k).to(v.dtype) for k, v in expected.items()})
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"The weights {path.name} are damaged or not a safetensors file.") from error
    return network
