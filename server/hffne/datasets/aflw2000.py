# SPDX-License-Identifier: GPL-3.0-or-later
"""AFLW2000-3D: 2000 photos with 68 points in 3D. For checking only, never for training."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hffne.datasets.source import Source
from hffne.errors import SciPyMissingError

SOURCE = Source(
    title="AFLW2000-3D",
    origin="the 3DDFA project (http://www.cbsr.ia.ac.cn/users/xiangyuzhu/projects/3DDFA/main.htm)",
    download="AFLW2000-3D.zip",
    layout=("image00002.jpg with image00002.mat, and so on",),
    terms="research use; for checking only",
    content="2000 photos, 450 x 450",
)
COUNT = 2000


@dataclass(frozen=True)
class Item:
    """One photo and its truth."""

    photo: Path
    truth: Path

    @property
    def name(self):
        return self.photo.stem

    def read_truth(self):
        """(68, 2) landmarks in pixel indices of the photo, and the yaw in degrees. Raises HffneError."""
        try:
            from scipy.io import loadmat
        except ImportError:
            raise SciPyMissingError(
                "Reading .mat files needs SciPy.", hint='Run: python -m pip install ".[evaluate]"'
            ) from None
        try:
            data = loadmat(self.truth)
            # Matlab counts pixels from 1.
            points = data["pt3d_68"][:2].T.astype(np.float64) - 1
            yaw = float(np.degrees(data["Pose_Para"][0, 1]))
        except Exception as error:
            # SciPy raises many things on damaged files.
            raise SOURCE.broken(self.truth, f"it is damaged: {' '.join(str(error).split())}.") from None
        if points.shape != (68, 2):
            raise SOURCE.broken(self.truth, f"it holds {len(points)} points instead of 68.")
        return points, yaw


def find(folder, part=False):
    """All photos, sorted, a list of Item. part: fewer will do."""
    folder = SOURCE.folder(folder)
    folder = folder / "AFLW2000" if (folder / "AFLW2000").is_dir() else folder
    photos = {path.stem: path for path in sorted(folder.glob("*.jpg"))}
    truths = {path.stem: path for path in sorted(folder.glob("*.mat"))}
    if not photos.keys() & truths.keys():
        raise SOURCE.nothing(folder)
    missing = [f"{stem}.mat" for stem in photos.keys() - truths.keys()]
    missing += [f"{stem}.jpg" for stem in truths.keys() - photos.keys()]
    SOURCE.missing(folder, sorted(missing))
    if len(photos) < COUNT and not part:
        raise SOURCE.half(f"'{folder}' holds {len(photos)} of {COUNT} photos.")
    return [Item(photos[stem], truths[stem]) for stem in sorted(photos)]
