# SPDX-License-Identifier: GPL-3.0-or-later
"""The estimates on several photos of one person, with one shape: what an artist corrects, and what textures lie on."""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from hffne.corrected import with_shape
from hffne.estimate import FaceEstimate
from hffne.geometry.base_shape import BaseShape
from hffne.geometry.grids import blur, smoothstep, surface_normals
from hffne.geometry.shared_fit import share_fit
from hffne.geometry.unwrap import FACING, GRAZING
from hffne.geometry.uv import face_texels, template
from hffne.photo.crop import CROP

# The least weight of a texel in the fit, and the sigma (texels) that its share is blurred with.
_LEAST, _SIGMA = 0.05, 6.0
# What moves with the expression is as on the reference photo: what the others count there, and the sigma (texels) of
# the parts' border.
_MOVING, _OTHERS, _BORDER = ("lips", "eyes"), 0.15, 3.0


def shared(estimates: Sequence[FaceEstimate]) -> list[FaceEstimate]:
    """The same estimates with one shape for all, seen by each photo's own camera. One alone stays as it is."""
    if len(estimates) < 2:
        return list(estimates)
    first, moving = reference(estimates), _moving()
    weights = [
        (_LEAST + blur(_shown(each), _SIGMA)) * (1 if number == first else 1 - (1 - _OTHERS) * moving)
        for number, each in enumerate(estimates)
    ]
    shapes = share_fit([each.shape for each in estimates], weights)
    return [with_shape(each, shape) for each, shape in zip(estimates, shapes, strict=True)]


def reference(estimates: Sequence[FaceEstimate]) -> int:
    """The number of the photo that shows most of the face: a merged face has its camera, light, eyes and mouth."""
    return int(np.argmax([float(_shown(each)[face_texels()].mean()) for each in estimates]))


def pixels_per_meter(estimate: FaceEstimate) -> float:
    """How large the face is on its photo."""
    return estimate.shape.scale * estimate.crop.side / CROP


def _shown(estimate: FaceEstimate) -> np.ndarray:
    """(U, U) float32 of the position map: 1 where the photo shows the face and the face turns to it, else 0."""
    return _facing(estimate.shape) * estimate.parts.face_at(estimate.shape.position_map())


def _facing(shape: BaseShape) -> np.ndarray:
    normals = surface_normals(shape.points) @ shape.rotation.T
    return smoothstep(GRAZING, FACING, normals[..., 2]).astype(np.float32)


@cache
def _moving() -> np.ndarray:
    """(U, U) float32 of the position map: 1 on lips and lids, with a soft border."""
    return np.minimum(1, 2 * cv2.GaussianBlur(template().region(*_MOVING), (0, 0), _BORDER)).astype(np.float32)
