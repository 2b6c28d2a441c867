# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape's correction that pins ask for: the most probable smooth field under which each pin is where it should be.

A pin says where a point of the face lies on a photo, not how deep, so it is two linear observations of the field; the
conditional mean of the Gaussian process (`smooth_field`) moves nothing along the photo's line of sight.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .smooth_field import SmoothField, kernel

# The share by which a pin may miss: where pins contradict each other, all of them miss a little.
NOISE = 1e-3
# Meters from the middle of the face within which a pin has no mirror image: it would be its own.
MIDDLE = 0.004
_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Pull:
    """One pin.

    point     (3,) meters, object axes: the point of the face before any correction
    axes      (2, 3): the photo's right and up on the object's axes
    move      (2,) meters that the point has to move along these axes
    mirrored  whether the other side of the face does the same, mirrored
    """

    point: np.ndarray
    axes: np.ndarray
    move: np.ndarray
    mirrored: bool


def solve(pulls: Sequence[Pull]) -> SmoothField:
    """The field of some pins; one without centers for no pins."""
    rows = [(pull.point, pull.axes, pull.move) for pull in pulls]
    rows += [
        (pull.point * _MIRROR, pull.axes * _MIRROR, pull.move)
        for pull in pulls
        if pull.mirrored and abs(pull.point[0]) > MIDDLE
    ]
    if not rows:
        return SmoothField(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32))
    points, axes, moves = (np.array(each, float) for each in zip(*rows, strict=True))
    count = len(points)
    # Between all pairs of observations; in double precision, for pins close to one another.
    near = kernel(points, points).astype(float)
    gram = np.einsum("ij,iax,jbx->iajb", near, axes, axes).reshape(2 * count, 2 * count)
    gram += NOISE * np.eye(2 * count)
    shares = np.linalg.solve(gram, moves.ravel()).reshape(count, 2)
    weights = np.einsum("ia,iax->ix", shares, axes)
    return SmoothField(points.astype(np.float32), weights.astype(np.float32))
