# SPDX-License-Identifier: GPL-3.0-or-later
"""Anyone's normals from files, measured as the engine's are: baselines in the same tables and figures."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hffne.errors import BenchmarkError, ExemplarError
from hffne.exemplar import read_normal_picture
from hffne.geometry.vectors import normalize
from hffne.photo.load import Photo

_ENDINGS = (".npz", ".png", ".tif", ".tiff")


@dataclass(frozen=True)
class FileEstimate:
    """What a benchmark reads of a `FaceEstimate`, from one map of normals (H, W, 3) on the photo's pixels."""

    normal: np.ndarray
    mask: np.ndarray

    @property
    def fine(self) -> np.ndarray:
        """The same normals."""
        return self.normal

    def on_photo(self, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See `FaceEstimate.on_photo`."""
        return self.normal, self.normal, self.mask

    def resample_to_photo(self, picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """See `FaceEstimate.resample_to_photo`; the picture is on the photo already."""
        return picture


@dataclass(frozen=True)
class NormalFiles:
    """Takes an engine's place in a benchmark: the normals of each photo are read from a folder.

    folder   with NAME.npz (`normal` (H, W, 3), camera space) or NAME.png (n * 0.5 + 0.5, green up), of the photos' size
    name_of  a photo's path -> NAME; where it has folders, they may be joined by "_" instead
    """

    folder: Path
    name_of: Callable[[Path], str]
    model: str = "files"
    device_name: str = "none"
    trained: dict[str, Any] = field(default_factory=dict)

    def normals(self, photo: Photo, face: object = None, merged: bool = True) -> FileEstimate:
        """The normals of a photo's file, see `FileEstimate`. Raises BenchmarkError."""
        name = self.name_of(Path(photo.path))
        path = find_normals(self.folder, name)
        if path is None:
            raise BenchmarkError(
                f"'{self.folder}' has no normals of {name}.", hint=f"There must be '{name}.npz' or '{name}.png'."
            )
        normal = read_normals(path)
        height, width = photo.rgb.shape[:2]
        if normal.shape != (height, width, 3):
            raise BenchmarkError(
                f"'{path}' is {normal.shape[1]} x {normal.shape[0]} pixels, its photo {width} x {height}.",
                hint="Normals must lie on the photo's own pixels.",
            )
        return FileEstimate(normal, np.square(normal).sum(2) > 0.25)


def find_normals(folder: Path, name: str) -> Path | None:
    """The file of normals of a name in a folder, or None."""
    names = dict.fromkeys([name, name.replace("/", "_"), f"{name}_normal"])
    return next((p for n in names for e in _ENDINGS if (p := folder / f"{n}{e}").is_file()), None)


def read_normals(path: Path) -> np.ndarray:
    """Unit normals (H, W, 3) float32 of a file, zero where it has none. Raises BenchmarkError."""
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as data:
                normal = np.asarray(data["normal"], np.float32)
        else:
            normal = read_normal_picture(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, ExemplarError, cv2.error) as error:
        raise BenchmarkError(f"'{path}' holds no normals.", hint="An .npz needs an array named normal.") from error
    if normal.ndim != 3 or normal.shape[2] != 3 or not np.isfinite(normal).all():
        raise BenchmarkError(f"'{path}' holds no normals (H, W, 3).")
    length = np.linalg.norm(normal, axis=2, keepdims=True)
    return np.where(length < 0.5, 0, normalize(normal)).astype(np.float32)
