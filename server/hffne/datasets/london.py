# SPDX-License-Identifier: GPL-3.0-or-later
"""The Face Research Lab London Set: neutral faces from the front with 189 points placed by hand."""

import re
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from hffne.datasets.source import DatasetSource

SOURCE = DatasetSource(
    title="Face Research Lab London Set",
    origin="DeBruine and Jones, 2017 (https://doi.org/10.6084/m9.figshare.5047666)",
    download="neutral_front.zip",
    layout=(
        "001_neutral.jpg   a person's photo; or 001_03.jpg, as downloaded",
        "001_neutral.tem   its WebMorph template with the 189 points; or all of them in landmarks189_neutral.npz",
    ),
    terms="CC BY 4.0",
    content="102 people, 189 points each",
)
COUNT = 102
POINTS = 189
_ALL_POINTS = "landmarks189_neutral.npz"
# The iBUG points that are also among the 189: corners of eyes and mouth, the lips' edges in the middle, the nose's
# base and wings, the chin.
IBUG = {36: 18, 39: 22, 42: 23, 45: 27, 48: 87, 54: 93, 51: 90, 57: 106, 33: 55, 8: 129, 31: 64, 35: 69}


@dataclass(frozen=True)
class LondonPhoto:
    """One person's neutral photo and the file of its points."""

    name: str
    photo: Path
    annotation: Path

    def points(self) -> np.ndarray:
        """The hand-placed points (12, 2) of IBUG, in its order, in pixels of the photo. Raises HffneError."""
        try:
            if self.annotation.suffix == ".npz":
                with np.load(self.annotation) as data:
                    points = np.asarray(data[self.name], np.float64)
            else:
                lines = self.annotation.read_text("utf-8").split("\n")[1 : POINTS + 1]
                points = np.array([[float(v) for v in line.split()] for line in lines])
        except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
            raise SOURCE.broken(self.annotation, f"it cannot be read: {error}.") from None
        if points.shape != (POINTS, 2) or not np.isfinite(points).all():
            raise SOURCE.broken(self.annotation, f"it does not hold {POINTS} points of '{self.name}'.")
        return points[list(IBUG.values())]


def find(folder: str | Path, part: bool = False) -> list[LondonPhoto]:
    """The neutral photo of each person, sorted. part: accept fewer people. Raises HffneError."""
    folder = SOURCE.folder(folder)
    together = folder / _ALL_POINTS
    photos = {
        match[1]: path
        for path in sorted(folder.glob("*.jpg"))
        if (match := re.fullmatch(r"(\d{3})_(?:neutral|03)", path.stem))
    }
    if not photos:
        raise SOURCE.not_found(folder)
    items, missing = [], []
    for name, path in photos.items():
        annotation = together if together.is_file() else path.with_suffix(".tem")
        if annotation.is_file():
            items.append(LondonPhoto(name, path, annotation))
        else:
            missing.append(annotation.name)
    SOURCE.require(folder, missing)
    if len(items) < COUNT and not part:
        raise SOURCE.incomplete(f"'{folder}' holds {len(items)} of {COUNT} people.")
    return items
