# SPDX-License-Identifier: GPL-3.0-or-later
"""The mean of two networks' weights: of one network before and after it was trained on (Wortsman et al., ICML 2022).

What the two get wrong in their own ways cancels, at no cost when it runs.
"""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from hffne.errors import WeightsError, WeightsMismatchError
from hffne.weights.store import write_state


def average(first, second, path, share=0.5):
    """Write (1 - share) x `first` + share x `second`, files of `store.save_weights`, to `path`; returns it.

    The notes in the file are those of `second`. Raises HffneError for files of two different networks, WeightsError for
    what is no safetensors file.
    """
    try:
        old, new = load_file(first), load_file(second)
        with safe_open(second, "pt") as file:
            notes = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsError("The weights are damaged or no safetensors files.") from error
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
    write_state(mean, path, notes | {"averaged": f"{share:g}"})
    return Path(path)
