# SPDX-License-Identifier: GPL-3.0-or-later
"""CelebA, aligned and cropped: 202,599 celebrity faces with the official split (Figure 10)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hffne.datasets.source import DatasetSource

SOURCE = DatasetSource(
    title="CelebA",
    origin="the Multimedia Lab, CUHK (https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html)",
    download="img_align_celeba.zip and list_eval_partition.txt",
    layout=(
        "list_eval_partition.txt   (or Eval/list_eval_partition.txt)",
        "img_align_celeba/000001.jpg ... 202599.jpg   (or Img/img_align_celeba/)",
    ),
    terms="non-commercial research use",
    content="202,599 photos, 178 x 218",
)
SIZE = (178, 218)
COUNT = 202_599
PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class CelebaPhoto:
    """One photo; split: "train", "valid" or "test"."""

    name: str
    path: Path
    split: str

    def read(self) -> np.ndarray:
        """(218, 178, 3) uint8. Raises HffneError."""
        return SOURCE.read(self.path, SIZE)


def find(folder: str | Path, part: bool = False) -> list[CelebaPhoto]:
    """All photos of the list. part: accept fewer. Raises HffneError."""
    folder = SOURCE.folder(folder)
    pictures = _first(folder, "img_align_celeba", "Img/img_align_celeba")
    listed = _first(folder, "list_eval_partition.txt", "Eval/list_eval_partition.txt")
    if pictures is None and listed is None:
        raise SOURCE.not_found(folder)
    if pictures is None:
        raise SOURCE.incomplete(f"'{folder}' lacks img_align_celeba.")
    if listed is None:
        raise SOURCE.incomplete(f"'{folder}' lacks list_eval_partition.txt.")
    rows = [line.split() for line in listed.read_text(encoding="latin-1").splitlines() if line.strip()]
    if not all(len(row) == 2 and row[1] in ("0", "1", "2") for row in rows):
        raise SOURCE.broken(listed, "a line is not '<name>.jpg 0|1|2'.")
    if len(rows) != COUNT and not part:
        raise SOURCE.incomplete(f"'{listed}' names {len(rows)} of {COUNT} photos.")
    there = {path.name for path in pictures.iterdir()}
    missing = [name for name, _ in rows if name not in there]
    SOURCE.require(pictures, missing, part)
    items = [
        CelebaPhoto(name.split(".")[0], pictures / name, PARTS[int(which)]) for name, which in rows if name in there
    ]
    if not items:
        raise SOURCE.not_found(pictures)
    return items


def _first(folder: Path, *names: str) -> Path | None:
    return next((folder / name for name in names if (folder / name).exists()), None)
