# SPDX-License-Identifier: GPL-3.0-or-later
"""FFHQ: 70,000 photos of varied faces, 1024 x 1024 (Figures 3, 4, 8, 9 and 10)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hffne.datasets.source import DatasetSource

SOURCE = DatasetSource(
    title="FFHQ",
    origin="NVIDIA (https://github.com/NVlabs/ffhq-dataset)",
    download="images1024x1024",
    layout=(
        "images1024x1024/00000/00000.png ... 00999.png",
        "images1024x1024/01000/01000.png ... and so on to 69000/69999.png",
    ),
    terms="CC BY-NC-SA 4.0; each photo has its own license",
    content="70,000 photos, 1024 x 1024",
)
SIZE = (1024, 1024)
COUNT, EACH = 70_000, 1000


@dataclass(frozen=True)
class FfhqPhoto:
    """One photo; split: "train" (the first 60,000) or "valid", the split of the data set's authors."""

    name: str
    path: Path
    split: str

    def read(self) -> np.ndarray:
        """(1024, 1024, 3) uint8. Raises HffneError."""
        return SOURCE.read(self.path, SIZE)


def find(folder: str | Path, part: bool = False) -> list[FfhqPhoto]:
    """All photos. part: accept fewer. Raises HffneError."""
    folder = SOURCE.folder(folder)
    folder = folder / "images1024x1024" if (folder / "images1024x1024").is_dir() else folder
    items, missing = [], []
    for first in range(0, COUNT, EACH):
        inner = folder / f"{first:05d}"
        there = {path.name for path in inner.iterdir()} if inner.is_dir() else set()
        for number in range(first, min(first + EACH, COUNT)):
            name = f"{number:05d}.png"
            if name in there:
                items.append(FfhqPhoto(name[:5], inner / name, "train" if number < 60_000 else "valid"))
            else:
                missing.append(f"{inner.name}/{name}")
    if not items:
        raise SOURCE.not_found(folder)
    SOURCE.require(folder, missing, part)
    return items
