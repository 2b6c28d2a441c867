# SPDX-License-Identifier: GPL-3.0-or-later
"""Florence 2D/3D faces: textured head scans, rendered to a photo and its normals (Table 2)."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hffne.datasets.scan import load_scan, render_scan
from hffne.datasets.source import DatasetSource

SOURCE = DatasetSource(
    title="Florence 2D/3D",
    origin="MICC, University of Florence (https://www.micc.unifi.it/resources/datasets/florence-3d-faces/)",
    download="the models of all 53 subjects",
    layout=("subject_01/ ... subject_53/", "    Model/frontal1/obj/<number>.obj   with its .mtl and its texture"),
    terms="research use, by agreement with its owners",
    content="53 head scans",
)
SUBJECTS = 53
# The data set's own file is named by a number; users keep their own versions beside it.
_ORIGINAL_NAME = re.compile(r"\d+")


@dataclass(frozen=True)
class FlorenceScan:
    """One subject's frontal scan."""

    subject: int
    path: Path

    @property
    def name(self) -> str:
        """The subject's folder name."""
        return f"subject_{self.subject:02d}"

    def render(self, size: int = 512) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """photo (S, S, 3) uint8, normal (S, S, 3) float32 and mask (S, S) bool, from the front.

        Raises HffneError for a file that is damaged or not a mesh.
        """
        return render_scan(load_scan(self.path, SOURCE), size)


def find(folder: str | Path, part: bool = False) -> list[FlorenceScan]:
    """The scans of all 53 subjects. part: accept fewer subjects. Raises HffneError."""
    folder = SOURCE.folder(folder)
    scans, missing, there = [], [], False
    for subject in range(1, SUBJECTS + 1):
        name = f"subject_{subject:02d}"
        inner = folder / name / "Model" / "frontal1" / "obj"
        there |= (folder / name).is_dir()
        files = sorted(inner.glob("*.obj")) if inner.is_dir() else []
        files = [path for path in files if _ORIGINAL_NAME.fullmatch(path.stem)] or files
        if files:
            scans.append(FlorenceScan(subject, files[0]))
        elif (folder / name).is_dir():
            raise SOURCE.incomplete(f"'{folder / name}' has no Model/frontal1/obj/<number>.obj.")
        else:
            missing.append(name)
    if not there:
        raise SOURCE.not_found(folder)
    SOURCE.require(folder, missing, part)
    return scans
