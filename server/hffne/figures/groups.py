# SPDX-License-Identifier: GPL-3.0-or-later
"""Figure 10: faces of many kinds, a row for each group of photos."""

from typing import TYPE_CHECKING

import numpy as np

from hffne.evaluation.contact_sheet import normal_picture
from hffne.figures.face import crop_picture

if TYPE_CHECKING:
    from hffne.photo.detect import Face
    from hffne.photo.load import Photo
    from hffne.pipeline import Engine


def tiles(engine: "Engine", photo: "Photo", face: "Face", merged: bool = True) -> list[tuple[str, np.ndarray]]:
    """A face's photo and its normal, to be put into its group's row. merged: as for `Engine.normals`."""
    estimate = engine.normals(photo, face, merged=merged)
    return [("photo", crop_picture(photo, estimate)), ("normal", normal_picture(estimate.normal, estimate.mask))]
