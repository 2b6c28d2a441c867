# SPDX-License-Identifier: GPL-3.0-or-later
"""ICT-3DRFE: faces with albedo and photometric normals, for relighting (Figure 7).

The data set is available by agreement only and its file names are not published. So the layout here is this
project's own, and the files of a copy have to be renamed.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from hffne.datasets.source import DatasetSource
from hffne.photo.pictures import decode_picture

SOURCE = DatasetSource(
    title="ICT-3DRFE",
    origin="the Institute for Creative Technologies, USC (https://ict.usc.edu/)",
    download="a photo, the diffuse albedo and the normal map of each face",
    layout=(
        "<subject>/<expression>_photo.png   the face under the light stage's white light",
        "<subject>/<expression>_albedo.png   the diffuse albedo, sRGB, the same pixels",
        "<subject>/<expression>_normal.png   n * 0.5 + 0.5, 8 or 16 bit, x right, y up, black outside",
    ),
    terms="research use, by agreement with its owners",
    content="23 people with 15 expressions each",
)
FACES = 23 * 15
KINDS = ("photo", "albedo", "normal")
_ENDINGS = (".png", ".tif", ".tiff", ".jpg")


@dataclass(frozen=True)
class Ict3drfeFace:
    """One face: paths of the photo, the albedo and the normal map."""

    name: str
    photo: Path
    albedo: Path
    normal: Path

    def read(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Photo and albedo (H, W, 3) uint8, normal (H, W, 3) float32 unit, mask (H, W) bool. Raises HffneError."""
        photo = SOURCE.read(self.photo)
        size = photo.shape[1::-1]
        albedo = SOURCE.read(self.albedo, size)
        SOURCE.read(self.normal, size)  # checks the file
        code = np.frombuffer(self.normal.read_bytes(), np.uint8)
        stored = decode_picture(code, cv2.IMREAD_UNCHANGED, str(self.normal))
        if stored.ndim != 3 or stored.shape[2] < 3:
            raise SOURCE.broken(self.normal, "a normal map has three channels.")
        rgb = stored[..., 2::-1].astype(np.float32) / np.iinfo(stored.dtype).max
        normal = rgb * 2 - 1
        length = np.linalg.norm(normal, axis=2)
        mask = rgb.any(2) & (length > 0.5) & (length < 1.5)
        if not mask.any():
            raise SOURCE.broken(self.normal, "it holds no normals.")
        return photo, albedo, np.where(mask[..., None], normal / np.maximum(length, 1e-6)[..., None], 0), mask


def find(folder: str | Path, part: bool = False) -> list[Ict3drfeFace]:
    """All faces. part: accept fewer. Raises HffneError."""
    folder = SOURCE.folder(folder)
    faces: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.glob("*/*")):
        stem, _, kind = path.stem.rpartition("_")
        if kind in KINDS and path.suffix.lower() in _ENDINGS:
            faces.setdefault(f"{path.parent.name}/{stem}", {})[kind] = path
    if not faces:
        raise SOURCE.not_found(folder)
    for name, files in faces.items():
        SOURCE.require(folder, [f"{name}_{kind}" for kind in KINDS if kind not in files])
    if len(faces) < FACES and not part:
        raise SOURCE.incomplete(f"'{folder}' holds {len(faces)} of {FACES} faces.")
    return [Ict3drfeFace(name, **files) for name, files in faces.items()]
