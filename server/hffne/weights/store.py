# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights as safetensors in half precision: no code in the file, half the size."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn
from torch.overrides import TorchFunctionMode

from hffne.errors import WeightsError, WeightsMismatchError, WeightsMissingError
from hffne.file_set import FileSet

FOLDER = Path(__file__).parent
Network = TypeVar("Network", bound=nn.Module)


def save_weights(network: nn.Module, path: str | Path, metadata: dict[str, str]) -> None:
    """Write a network's state as float16, with metadata. The old file stays until the new one is complete."""
    state = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in network.state_dict().items()}
    write_state(state, path, metadata)


def write_state(state: dict[str, torch.Tensor], path: str | Path, metadata: dict[str, str]) -> None:
    """Write tensors by name in their own types. The old file stays until the new one is complete."""
    with FileSet() as files:
        files.add(path).write_bytes(save(state, metadata))
        files.commit()


def empty(network: Callable[[], Network]) -> Network:
    """A network with any values, for `load_weights`: to draw start values that are replaced at once takes a while."""
    with _NoStartValues():
        return network()


class _NoStartValues(TorchFunctionMode):
    """Within it the functions of torch.nn.init leave tensors as they are."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", None) == "torch.nn.init":
            return (kwargs or {}).get("tensor", args[0] if args else None)
        return func(*args, **(kwargs or {}))


def load_weights(network: Network, path: str | Path) -> Network:
    """Load a file of `save_weights` into a network as float32.

    Raises WeightsMissingError; WeightsMismatchError, naming the first wrong tensor, when the file belongs to another
    network or holds values that are not finite; WeightsError when it is not a valid safetensors file: its header is
    checked against its length before memory is allocated, and a pickle under its name is refused unread.
    """
    path = Path(path)
    check_is_there(path)
    try:
        with safe_open(path, "pt") as file:
            expected, names = network.state_dict(), set(file.keys())
            for name, value in expected.items():
                if name not in names or tuple(file.get_slice(name).get_shape()) != tuple(value.shape):
                    raise WeightsMismatchError(
                        f"{path.name}: tensor {name} is missing or has another shape",
                        hint="These weights belong to another network.",
                    )
            state = {k: _checked(file.get_tensor(k), v, k, path) for k, v in expected.items()}
            network.load_state_dict(state)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"The weights {path.name} are damaged or not a safetensors file.") from error
    return network


def check_is_there(path: Path) -> None:
    """Raise WeightsMissingError where there is no file."""
    if not path.is_file():
        raise WeightsMissingError(f"The weights {path.name} are missing", hint="Reinstall the engine.")


def _checked(value: torch.Tensor, expected: torch.Tensor, name: str, path: Path) -> torch.Tensor:
    """A tensor in the type that the network has. Raises WeightsMismatchError for another kind of numbers, or NaN."""
    if value.is_floating_point() != expected.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
        raise WeightsMismatchError(
            f"{path.name}: tensor {name} holds {str(value.dtype).removeprefix('torch.')}, which is not its type",
            hint="These weights belong to another network, or are damaged.",
        )
    value = value.to(expected.dtype)
    # Where a sum is finite all its terms are, and it is found much faster.
    if not math.isfinite(float(value.sum())) and not torch.isfinite(value).all():
        raise WeightsMismatchError(
            f"{path.name}: tensor {name} holds values that are not finite", hint="Reinstall the engine."
        )
    return value
