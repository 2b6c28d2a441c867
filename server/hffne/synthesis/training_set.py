# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a training set (`hffne train data`), and which of its samples the training holds out."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from hffne.errors import HffneError, TrainingSetError
from hffne.synthesis.fit import Fits, FittedPhotos
from hffne.synthesis.stored_array import StoredArray

FITS = "fits.npz"
HELD_OUT = 20  # every 20th photo, and its samples, are held out of the training


def held_out_mask(count: int) -> np.ndarray:
    """Which of `count` photos or renders are held out of the training: (count,) bool."""
    return np.arange(count) % HELD_OUT == 0


class TrainingSet:
    """The files of one training set. Large arrays are memory maps (read only), so that opening them is cheap.

    Every method raises HffneError (code "no_set") when its file is missing or cannot be read.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def array(self, name: str) -> np.ndarray:
        """The array in `name`.npy, for example "textures/gray" (photos, S, S) uint8 or "reliefs" (maps, S, S, 2).

        Sets of earlier versions spell gray "grey" in their files' names.
        """
        try:
            return StoredArray.open(self._path(name))
        except (OSError, ValueError, EOFError):
            raise self._unusable(f"{name}.npy") from None

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """All arrays in the folder `name`, "renders" or "photos", by their names; see ``synthesis.build.FIELDS``."""
        names = sorted(path.stem.replace("grey", "gray") for path in (self.folder / name).glob("*.npy"))
        if not names:
            raise self._unusable(f"{name}/")
        return {field: self.array(f"{name}/{field}") for field in names}

    def files(self, *names: str) -> list[Path]:
        """The files of the arrays and of the folders of arrays with these names, as far as they are there; sorted."""
        found = [path for name in names for path in (self._path(name), *(self.folder / name).glob("*.npy"))]
        return sorted(path for path in found if path.is_file())

    def fits(self) -> Fits:
        """The fits of the shape model to the photos, in the photos' order."""
        return Fits(**self._fits([field.name for field in fields(Fits)]))

    def fitted_photos(self) -> FittedPhotos:
        """The fits together with the photos' paths and landmarks."""
        older = TrainingSetError(
            f"'{self.folder}' holds fits of an older version, without landmarks.",
            hint="Build into an empty folder.",
        )
        data = self._fits([field.name for field in fields(FittedPhotos)], older)
        return FittedPhotos(**{**data, "paths": [str(path) for path in data["paths"]]})

    def held_out_photos(self) -> list[Path]:
        """The paths of the photos that are held out of the training."""
        return [Path(str(path)) for path in self._fits(["paths"])["paths"][::HELD_OUT]]

    def _path(self, name: str) -> Path:
        path = self.folder / f"{name}.npy"
        return path if path.exists() else path.with_name(path.name.replace("gray", "grey"))

    def _fits(self, names: list[str], incomplete: HffneError | None = None) -> dict[str, Any]:
        try:
            with np.load(self.folder / FITS) as data:
                return {name: data[name] for name in names}
        except KeyError:
            raise incomplete or self._unusable(FITS) from None
        except (OSError, ValueError, EOFError):
            raise self._unusable(FITS) from None

    def _unusable(self, name: str) -> HffneError:
        return TrainingSetError(
            f"'{self.folder}' is not a training set: '{name}' is missing or cannot be read.",
            hint="Make a training set with `hffne train data`.",
        )
