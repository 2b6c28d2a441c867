# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of a training run: one JSON file for both stages, checked before anything is computed.

model         "paper" (published widths) or "compact"
size          the face crop's side in pixels, a multiple of 32; 256 in the paper
batch         samples a step, over all processes
micro_batch   samples that one forward pass sees. A step is batch / micro_batch of them, shared among the processes;
              since batch norm and dropout act within one, the result does not depend on the number of processes
learning_rate of Adam, whose other parameters are the defaults
precision     Lightning Fabric's: "32-true", "16-mixed", "bf16-mixed"
coarse        steps; lambda_l1: weight of the L1 term beside the discriminator's; discriminator: its width; keep: the
              steps whose weights are kept as early exemplars
fine          steps; lambda_ref: weight of the reconstruction (equation 10); architecture and modulation: see
              networks.variants; exemplar: "paired", "unpaired" (another face's) or "base" (the face model's normals)
"""

import json
from pathlib import Path

from hffne.errors import ConfigurationError
from hffne.networks.variants import Variant

MODELS = ("paper", "compact")
BUILT_IN = (*MODELS, "study")
EXEMPLARS = ("paired", "unpaired", "base")
_HINT = "Start from the built-in paper.json or compact.json, see docs/paper.md."


def read_config(wanted):
    """The configuration as a dict: "paper", "compact", "study", or a file. Raises HffneError that names the first wrong key."""
    path = Path(__file__).with_name(f"{wanted}.json") if wanted in BUILT_IN else Path(wanted)
    try:
        config = json.loads(path.read_text("utf-8"))
    except OSError:
        raise ConfigurationError(f"There is no configuration '{path}'.", hint=_HINT) from None
    except ValueError as error:
        raise ConfigurationError(f"'{path}' is no JSON: {error}.", hint=_HINT) from None
    return checked(config, path)


def checked(config, name="the configuration"):
    """The same dict when it is right."""
    _same_keys(config, json.loads(Path(__file__).with_name("paper.json").read_text("utf-8")), "", name)
    wrong = [key for key in ("size", "batch", "micro_batch") if config[key] < 1]
    if config["size"] % 32:
        wrong.append("size")
    if config["batch"] % config["micro_batch"]:
        wrong.append("micro_batch")
    if config["model"] not in MODELS:
        wrong.append("model")
    if config["fine"]["exemplar"] not in EXEMPLARS:
        wrong.append("fine.exemplar")
    if wrong:
        raise ConfigurationError(f"In {name} the value of {wrong[0]} is not possible.", hint=_HINT)
    Variant(config["fine"]["architecture"], config["fine"]["modulation"])
    return config


def _same_keys(config, pattern, prefix, name):
    if not isinstance(config, dict):
        raise ConfigurationError(f"In {name} {prefix or 'it all'} is no table.", hint=_HINT)
    for key in [*pattern, *config]:
        full = f"{prefix}{key}"
        if key not in config or key not in pattern:
            what = "lacks" if key not in config else "has an unknown"
            raise ConfigurationError(f"{name} {what} key {full}.", hint=_HINT)
        ours, theirs = config[key], pattern[key]
        if isinstance(theirs, dict):
            _same_keys(ours, theirs, f"{full}.", name)
        elif (
            isinstance(theirs, int | float) != isinstance(ours, int | float)
            or (isinstance(theirs, str) != isinstance(ours, str))
            or isinstance(ours, bool)
        ):
            raise ConfigurationError(f"In {name} the value of {full} is of the wrong kind.", hint=_HINT)
