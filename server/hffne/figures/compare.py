# SPDX-License-Identifier: GPL-3.0-or-later
"""Figure 5: others' normals, read from files, beside ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from hffne.errors import BenchmarkError
from hffne.evaluation.contact_sheet import LIGHTS, Row, normal_picture, shaded_picture
from hffne.evaluation.normal_files import find_normals, read_normals
from hffne.figures.face import crop_picture
from hffne.geometry.vectors import normalize

if TYPE_CHECKING:
    from hffne.photo.detect import Face
    from hffne.photo.load import Photo
    from hffne.pipeline import Engine


def rows(engine: "Engine", photo: "Photo", face: "Face", label: str, others: Mapping[str, Path]) -> list[Row]:
    """One row: photo; the normals of each of the others, the fine network's N, and the product; each also lit.

    others: name -> folder with <photo's stem>.npz or .png on the photo's own pixels; where a folder has none for this
    photo, its tiles are black. Raises BenchmarkError for a file that does not fit the photo.
    """
    estimate = engine.normals(photo, face)
    mask = estimate.mask
    maps = {}
    for name, folder in others.items():
        path = find_normals(folder, Path(photo.path).stem)
        normal = np.zeros_like(estimate.normal)
        if path is not None:
            theirs = read_normals(path)
            if theirs.shape != photo.rgb.shape:
                raise BenchmarkError(f"'{path}' does not have the size of its photo.")
            # On the crop, by the way its pixels go to the photo's.
            matrix = estimate.crop.matrix.astype(np.float32)
            size = (len(mask), len(mask))
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            normal = normalize(cv2.warpAffine(theirs, matrix, size, flags=flags) @ estimate.crop.unturning)
        maps[name] = normal
    maps |= {"N": estimate.fine, "product": estimate.normal}
    tiles = [("photo", crop_picture(photo, estimate))]
    for name, normal in maps.items():
        shown = mask & (np.square(normal).sum(2) > 0.25)
        tiles += [(name, normal_picture(normal, shown)), (f"{name}, lit", shaded_picture(normal, LIGHTS[0], shown))]
    return [(label, tiles)]
