# SPDX-License-Identifier: GPL-3.0-or-later
"""Florence 2D/3D faces: textured head scans, rendered to a photo and its normals (Table 2)."""

import re
from dataclasses import dataclass
from pathlib import Path

from hffne.datasets.scan import load_scan, render_scan
from hffne.datasets.source import Source

SOURCE = Source(
    title="Florence 2D/3D",
    origin="MICC, University of Florence (https://www.micc.unifi.it/resources/datasets/florence-3d-faces/)",
    download="the models of all 53 subjects",
    layout=("subject_01/ ... subject_53/", "    Model/frontal1/obj/<number>.obj   with its .mtl and its texture"),
    terms="research use, by agreement with its owners",
    content="53 head scans",
)
SUBJECTS = 53
# Beside the data set's own file, which is a number, people keep what they made of it.
_OWN = re.compile(r"\d+")


@dataclass(frozen=True)
class Scan:
    """One subject's frontal scan."""

    subject: int
    path: Path

    @property
    def name(self):
        return f"subject_{self.subject:02d}"

    def render(self, size=512):
        """(photo (S, S, 3) uint8, normal (S, S, 3) float32, mask (S, S) bool), seen from the front.

        Raises HffneError for a file that is damaged or no mesh.
        """
        return render_scan(load_scan(self.path, SOURCE), size)


def find(folder, part=False):
    """The scans of all 53 subjects, a list of Scan. part: fewer subjects will do."""
    folder = SOURCE.folder(folder)
    scans, missing, there = [], [], False
    for subject in range(1, SUBJECTS + 1):
        name = f"subject_{subject:02d}"
        inner = folder / name / "Model" / "frontal1" / "obj"
        there |= (folder / name).is_dir()
        files = sorted(inner.glob("*.obj")) if inner.is_dir() else []
        files = [path for path in files if _OWN.fullmatch(path.stem)] or files
        if files:
            scans.append(Scan(subject, files[0]))
        elif (folder / name).is_dir():
            raise SOURCE.half(f"'{folder / name}' has no Model/frontal1/obj/<number>.obj.")
        else:
            missing.append(name)
    if not there:
        raise SOURCE.nothing(folder)
    SOURCE.missing(folder, missing, part)
    return scans
