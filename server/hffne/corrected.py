# SPDX-License-Identifier: GPL-3.0-or-later
"""An estimate whose shape an artist has corrected: the normals that the networks found stay, the shape below moves."""

from dataclasses import replace

import cv2
import numpy as np

from hffne import crop_levels
from hffne.estimate import FaceEstimate
from hffne.geometry.base_shape import BaseShape
from hffne.geometry.project import MAX_SIZE, project
from hffne.geometry.smooth_field import SmoothField


def corrected_shape(shape: BaseShape, field: SmoothField | None) -> BaseShape:
    """The base shape moved by a field; pose and camera stay."""
    return shape if field is None else replace(shape, points=shape.points + field.at(shape.points))


def corrected(estimate: FaceEstimate, field: SmoothField | None) -> FaceEstimate:
    """The estimate with its shape moved by a field."""
    return estimate if field is None else with_shape(estimate, corrected_shape(estimate.shape, field))


def with_shape(estimate: FaceEstimate, shape: BaseShape) -> FaceEstimate:
    """The estimate with another shape, and with what follows from the shape: position map, projection, mask."""
    size = len(estimate.mask)
    position = shape.position_map()
    projection = project(position, min(size, MAX_SIZE))
    return replace(
        estimate,
        shape=shape,
        position_map=position,
        projection=projection,
        mask=crop_levels.resized_mask(closed_mask(projection.mask), size),
    )


def closed_mask(mask: np.ndarray) -> np.ndarray:
    """The mask (S, S) bool of a projection without the pixels of lips and nostrils where it folds over.

    They show no outer side, and belong to the face all the same.
    """
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0
