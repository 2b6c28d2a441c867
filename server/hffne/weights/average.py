# SPDX-License-Identifier: GPL-3.0-or-later
"""The mean of two networks' weights: before and after further training (Wortsman et al., ICML 2022).

Independent errors of the two cancel partly, at no cost at inference.
"""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from hffne.errors import WeightsError, WeightsMismatchError
from hffne.weights.notes import file_hash
from hffne.weights.store import write_state


def average(first: str | Path, second: str | Path, path: str | Path, share: float = 0.5) -> Path:
    """Write (1 - share) x `first` + share x `second`, files of `store.save_weights`, to `path`; returns it.

    The metadata in the file is that of `second`, with the share and a hash of `first`. Raises WeightsMismatchError for
    files of two different networks, WeightsError for a file that is not safetensors.
    """
    try:
        old, new = load_file(first), load_file(second)
        with safe_open(second, "pt") as file:
            notes = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsError("The weights are damaged or not safetensors files.") from error
    if {k: v.shape for k, v in old.items()} != {k: v.shape for k, v in new.items()}:
        raise WeightsMismatchError(
            "The two files are weights of different networks.",
            hint="Average a network with what it was trained on from.",
        )
    mean = {
        name: (old[name].float() * (1 - share) + value.float() * share).to(value.dtype).contiguous()
        if value.is_floating_point()
        else value
        for name, value in new.items()
    }
    write_state(mean, path, notes | {"averaged": f"{share:g}", "averaged_with": file_hash(Path(first))})
    return Path(path)
