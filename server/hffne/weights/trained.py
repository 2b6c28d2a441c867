# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks that the user trained: which files of a folder they are, and the networks that the files belong to."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hffne.errors import WeightsError, WeightsMissingError
from hffne.networks.coarse import CoarseNetwork
from hffne.networks.paper import PaperCoarseNetwork
from hffne.networks.prn import PositionMapNetwork
from hffne.networks.refiners import Refiner, fine_network
from hffne.weights.notes import file_hash, read_notes
from hffne.weights.store import load_weights

# The role of each task's network, and of a file by its name where it has no notes.
_ROLES = {"prn": "prn", "coarse": "coarse", "fine": "fine", "paper-coarse": "coarse", "paper-fine": "fine"}
_NAMES = {"prn": "prn", "coarse": "coarse", "generator": "coarse", "fine": "fine"}


@dataclass(frozen=True)
class TrainedFile:
    """A file of weights: its path, and the notes that `hffne train` wrote into it."""

    path: Path
    notes: dict[str, str]

    @property
    def about(self) -> dict[str, str]:
        """What a report says of it: name, hash, and what it was trained on."""
        kept = ("task", "steps", "seed", "data", "commit", "input_split")
        return {
            "file": self.path.name,
            "hash": file_hash(self.path),
            **{name: self.notes[name] for name in kept if name in self.notes},
        }

    @property
    def published(self) -> bool:
        """Whether it is of the published widths."""
        return self._recipe().get("model") == "paper"

    def _recipe(self) -> dict[str, Any]:
        recipe: dict[str, Any] = json.loads(self.notes.get("recipe", "{}"))
        return recipe

    def coarse(self, stochastic: bool = False) -> CoarseNetwork | PaperCoarseNetwork:
        """The coarse network that it holds. Raises WeightsError."""
        recipe = self._recipe()
        if self.published:
            return load_weights(PaperCoarseNetwork(stochastic), self.path)
        # As the tasks make it: a multiple of 64.
        return load_weights(CoarseNetwork(-(-recipe.get("size", 256) // 64) * 64), self.path)

    def fine(self) -> Refiner:
        """The fine network that it holds. Raises WeightsError."""
        recipe = self._recipe()
        settings = recipe.get("tasks", {}).get(self.notes.get("task", ""), {}).get("settings", {})
        return load_weights(fine_network(recipe.get("model", "compact"), settings), self.path)

    def prn(self) -> PositionMapNetwork:
        """The position map network that it holds. Raises WeightsError."""
        return load_weights(PositionMapNetwork(), self.path)


def find_trained(folder: str | Path) -> dict[str, TrainedFile]:
    """The files of a folder by their roles, "prn", "coarse" and "fine": one, two or all of them.

    folder: one that `hffne train` wrote to, or a set whose steps wrote to folders in it. Raises WeightsMissingError
    where there is none, WeightsError where there are two for a role.
    """
    folder = Path(folder)
    found: dict[str, list[TrainedFile]] = {}
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("*/*.safetensors")]):
        if re.search(r"_\d+$", path.stem):
            continue  # an early one that was kept
        notes = read_notes(path)
        role = _ROLES.get(notes.get("task", "")) or _NAMES.get(path.stem)
        if role:
            found.setdefault(role, []).append(TrainedFile(path, notes))
    if not found:
        raise WeightsMissingError(
            f"'{folder}' holds no trained weights.", hint="Name a folder that `hffne train` has written to."
        )
    for role, files in found.items():
        if len(files) > 1:
            raise WeightsError(
                f"'{folder}' holds {len(files)} {role} networks: "
                f"{', '.join(str(file.path.relative_to(folder)) for file in files[:4])}.",
                hint="Put the files that belong together into a folder of their own.",
            )
    return {role: files[0] for role, files in found.items()}


def check_pair(fine: TrainedFile, coarse: Path) -> None:
    """Refuse a fine network that was trained on other exemplars. Raises WeightsError.

    coarse: the file of the coarse network that makes its exemplars now.
    """
    needed = fine.notes.get("input_coarse")
    if needed and coarse.is_file() and file_hash(coarse) != needed:
        raise WeightsError(
            f"'{fine.path}' was trained on another coarse network than '{coarse}'.",
            hint="Put the coarse network that it was trained on beside it.",
        )
