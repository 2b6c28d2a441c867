# SPDX-License-Identifier: GPL-3.0-or-later
"""300-W: 300 indoor and 300 outdoor faces in the wild with 68 points (Figure 5)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hffne.datasets.source import DatasetSource

SOURCE = DatasetSource(
    title="300-W",
    origin="iBUG, Imperial College London (https://ibug.doc.ic.ac.uk/resources/300-W/)",
    download="300w.zip.001 to 300w.zip.004 (joined and unpacked)",
    layout=(
        "01_Indoor/indoor_001.png ... indoor_300.png   with indoor_001.pts ...",
        "02_Outdoor/outdoor_001.png ... outdoor_300.png   with outdoor_001.pts ...",
    ),
    terms="research use",
    content="600 photos with 68 points",
)
PARTS = (("01_Indoor", "indoor"), ("02_Outdoor", "outdoor"))
EACH = 300


@dataclass(frozen=True)
class W300Photo:
    """One photo with its points."""

    name: str
    path: Path

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8. Raises HffneError."""
        return SOURCE.read(self.path)

    def landmarks(self) -> np.ndarray:
        """(68, 2) in pixel indices of the photo (the file counts from 1, as in Matlab). Raises HffneError."""
        path = self.path.with_suffix(".pts")
        try:
            inside = path.read_text(encoding="latin-1").split("{")[1].split("}")[0]
            points = np.array([[float(v) for v in line.split()] for line in inside.strip().splitlines()])
        except (IndexError, ValueError):
            points = np.empty(0)
        if points.shape != (68, 2) or not np.isfinite(points).all():
            raise SOURCE.broken(path, "it does not hold 68 points.")
        return points - 1


def find(folder: str | Path, part: bool = False) -> list[W300Photo]:
    """All photos. part: accept fewer. Raises HffneError."""
    folder = SOURCE.folder(folder)
    folder = folder / "300W" if (folder / "300W").is_dir() else folder
    items, missing = [], []
    for inner, name in PARTS:
        for number in range(1, EACH + 1):
            path = folder / inner / f"{name}_{number:03d}.png"
            points = path.with_suffix(".pts")
            if path.is_file() and points.is_file():
                items.append(W300Photo(path.stem, path))
            elif path.is_file() or points.is_file():
                raise SOURCE.incomplete(f"'{points if path.is_file() else path}' is missing.")
            else:
                missing.append(f"{inner}/{path.name}")
    if not items:
        raise SOURCE.not_found(folder)
    SOURCE.require(folder, missing, part)
    return items
