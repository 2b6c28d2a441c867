# SPDX-License-Identifier: GPL-3.0-or-later
"""Figure 3: the coarse exemplar beside the refined normal."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from hffne.evaluation.contact_sheet import LIGHTS, Row, normal_picture, shaded_picture
from hffne.figures.face import crop_picture

if TYPE_CHECKING:
    from hffne.photo.detect import Face
    from hffne.photo.load import Photo
    from hffne.pipeline import Engine


def rows(engine: "Engine", photo: "Photo", face: "Face", label: str) -> list[Row]:
    """One row: photo; exemplar, refined (the fine network's) and product (the final normal); each lit from the left."""
    estimate = engine.normals(photo, face)
    mask = estimate.mask
    stages = {"exemplar": estimate.coarse, "refined": estimate.fine, "product": estimate.normal}
    stages = {name: _sized(normal, len(mask)) for name, normal in stages.items()}
    tiles = [("photo", crop_picture(photo, estimate))]
    tiles += [(name, normal_picture(normal, mask)) for name, normal in stages.items()]
    tiles += [(f"{name}, lit", shaded_picture(normal, LIGHTS[0], mask)) for name, normal in stages.items()]
    return [(label, tiles)]


def _sized(normal: np.ndarray, size: int) -> np.ndarray:
    return normal if len(normal) == size else cv2.resize(normal, (size, size), interpolation=cv2.INTER_CUBIC)
