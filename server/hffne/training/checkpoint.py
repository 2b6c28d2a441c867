# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkpoint of a run, and whether it belongs to the run that is about to start."""

import json
import pickle
from pathlib import Path
from typing import Any

import torch

from hffne.errors import CheckpointError, OutputError
from hffne.file_set import FileSet
from hffne.training.recipe import MAY_CHANGE, Recipe

FORMAT = "hffne training 2"
NAME = "checkpoint.pt"
_ELSEWHERE = "Use another --output to begin a new run, or repeat the command that this run was begun with."


def run_facts(recipe: Recipe, seed: int, data: str, inputs: dict[str, str]) -> dict[str, Any]:
    """What must be the same for a run to be resumed: plain values by name.

    data: the source's fingerprint. inputs: hashes of the files that the run begins with, by name.
    """
    settings = {key: value for key, value in recipe.without_defaults().items() if key not in MAY_CHANGE}
    settings.update(settings.pop("tasks")[recipe.task])
    facts = {"task": recipe.task, "seed": seed, "data": data, **_flat(settings)}
    if recipe.schedule.name != "constant":
        facts["steps"] = recipe.steps  # the learning rate of every step depends on it
    facts.update({f"input {name}": value for name, value in inputs.items()})
    # As a checkpoint gives them back.
    return dict(json.loads(json.dumps(facts)))


def write_checkpoint(folder: Path, state: dict[str, Any], facts: dict[str, Any]) -> None:
    """Write a state with the facts of its run; the former checkpoint stays until the new one is complete.

    Raises OutputError.
    """
    try:
        with FileSet() as files:
            torch.save({"format": FORMAT, "facts": json.dumps(facts)} | state, files.add(folder / NAME))
            files.commit()
    except (OSError, RuntimeError) as error:
        raise OutputError(f"The checkpoint cannot be written to '{folder}': {error}") from error


def read_checkpoint(folder: Path, facts: dict[str, Any], steps: int, device: torch.device) -> dict[str, Any] | None:
    """The state of `write_checkpoint`, or None where there is none.

    facts: those of the run that is about to start. steps: how many it shall have. Raises CheckpointError when the file
    is damaged, belongs to another program, or to a run with other facts or more steps.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise CheckpointError(
            f"'{path}' is empty, damaged, or not a checkpoint.", hint="Delete it to begin again from step 0."
        ) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(
            f"'{path}' is not a checkpoint of this version of hffne.",
            hint="Use another --output. Weights that were written beside it can be given with --start.",
        )
    different = _different(json.loads(state["facts"]), facts)
    if different:
        raise CheckpointError(f"'{path}' belongs to another run: {different}.", hint=_ELSEWHERE)
    if state["step"] > steps:
        raise CheckpointError(
            f"'{path}' is at step {state['step']}, but the run shall have {steps} steps.",
            hint=f"Give --steps {state['step']} or more, or use another --output to begin a new run.",
        )
    return dict(state)


def _different(old: dict[str, Any], new: dict[str, Any]) -> str:
    """The first facts that differ, in words, or ""."""
    words = [
        f"{name} was {old.get(name, 'not given')}, now it is {new.get(name, 'not given')}"
        for name in [*old, *(name for name in new if name not in old)]
        if old.get(name) != new.get(name)
    ]
    more = f" (and {len(words) - 3} more)" if len(words) > 3 else ""
    return "; ".join(words[:3]) + more


def _flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested table as one table whose keys are joined by dots."""
    out: dict[str, Any] = {}
    for key, value in table.items():
        out.update(_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value})
    return out
