# SPDX-License-Identifier: GPL-3.0-or-later
"""AFLW2000-3D: 2000 photos with 68 points in 3D. For evaluation only, never for training."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hffne.datasets.source import DatasetSource
from hffne.errors import SciPyMissingError

SOURCE = DatasetSource(
    title="AFLW2000-3D",
    origin="the 3DDFA project (http://www.cbsr.ia.ac.cn/users/xiangyuzhu/projects/3DDFA/main.htm)",
    download="AFLW2000-3D.zip",
    layout=("image00002.jpg with image00002.mat, and so on",),
    terms="research use; for checking only",
    content="2000 photos, 450 x 450",
)
COUNT = 2000


@dataclass(frozen=True)
class AflwPhoto:
    """One photo and its annotation, a .mat file."""

    photo: Path
    annotation: Path

    @property
    def name(self) -> str:
        """The photo's file name without its extension."""
        return self.photo.stem

    def read_ground_truth(self) -> tuple[np.ndarray, float]:
        """(68, 2) landmarks in pixel indices of the photo, and the yaw in degrees. Raises HffneError."""
        try:
            from scipy.io import loadmat
        except ImportError:
            raise SciPyMissingError(
                "Reading .mat files needs SciPy.", hint='Run: python -m pip install ".[evaluate]"'
            ) from None
        try:
            data = loadmat(self.annotation)
            # Matlab counts pixels from 1.
            points = data["pt3d_68"][:2].T.astype(np.float64) - 1
            yaw = float(np.degrees(data["Pose_Para"][0, 1]))
        except Exception as error:
            # SciPy raises many kinds of errors on damaged files.
            raise SOURCE.broken(self.annotation, f"it is damaged: {' '.join(str(error).split())}.") from None
        if points.shape != (68, 2):
            raise SOURCE.broken(self.annotation, f"it holds {len(points)} points instead of 68.")
        return points, yaw


def find(folder: str | Path, part: bool = False) -> list[AflwPhoto]:
    """All photos, sorted. part: accept fewer. Raises HffneError."""
    folder = SOURCE.folder(folder)
    folder = folder / "AFLW2000" if (folder / "AFLW2000").is_dir() else folder
    photos = {path.stem: path for path in sorted(folder.glob("*.jpg"))}
    annotations = {path.stem: path for path in sorted(folder.glob("*.mat"))}
    if not photos.keys() & annotations.keys():
        raise SOURCE.not_found(folder)
    missing = [f"{stem}.mat" for stem in photos.keys() - annotations.keys()]
    missing += [f"{stem}.jpg" for stem in annotations.keys() - photos.keys()]
    SOURCE.require(folder, sorted(missing))
    if len(photos) < COUNT and not part:
        raise SOURCE.incomplete(f"'{folder}' holds {len(photos)} of {COUNT} photos.")
    return [AflwPhoto(photos[stem], annotations[stem]) for stem in sorted(photos)]
