# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimates whose landmarks are those of the fitted head's own surface, to be measured like the position map's."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hffne.head.fitted import fit_head
from hffne.head.model import head_model
from hffne.photo.crop import CROP
from hffne.photo.detect import Face
from hffne.photo.load import Photo

if TYPE_CHECKING:
    from hffne.pipeline import Engine


@dataclass(frozen=True)
class HeadEstimate:
    """landmarks (68, 3) of a head on the photo, in its pixels, iBUG order: x right, y down, z to the viewer."""

    landmarks: np.ndarray


class HeadEstimates:
    """Stands in for an engine where only landmarks are measured."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def normals(self, photo: Photo, face: Face) -> HeadEstimate:
        """Estimate a face and fit the head to it. Raises HffneError."""
        estimate = self._engine.normals(photo, face)
        head = fit_head(estimate.shape)
        points = estimate.shape.to_crop(head_model().at_landmarks(head.posed))
        return HeadEstimate(estimate.crop.resized(CROP).to_photo(points))
