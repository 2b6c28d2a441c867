# SPDX-License-Identifier: GPL-3.0-or-later
"""One shape and a camera for each photo, from the shapes that were found on several photos of one person.

Each photo says well where a point lies across its line of sight and badly how deep it is; a photo from another side
says what the first one does not. So the shared shape is the least-squares solution over all photos in which an error
of depth counts little, and each photo's camera is the similarity that lays the shared shape over its own.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hffne.geometry.base_shape import FLIP_Y, BaseShape, meters_per_unit, reliable_texels
from hffne.geometry.vectors import similarity

# What a photo's depth counts against its place across the line of sight.
DEPTH = 0.3
# Rounds of cameras and shape in turn; the second one changes a few hundredths of a pixel.
_ROUNDS = 4


def share_fit(shapes: Sequence[BaseShape], weights: Sequence[np.ndarray]) -> list[BaseShape]:
    """The shapes of some photos, each with the shared points and its own camera.

    weights: (U, U) of each photo, above 0: how well it shows a texel of the position map. The shapes of one photo stay
    as they are.
    """
    if len(shapes) < 2:
        return list(shapes)
    sure = reliable_texels()
    reference = shapes[int(np.argmax([weight.mean() for weight in weights]))]
    points = reference.points.astype(np.float64)
    for _ in range(_ROUNDS):
        cameras = [_camera(points, shape, weight, sure) for shape, weight in zip(shapes, weights, strict=True)]
        points = _points(shapes, cameras, weights)
        # The photos say nothing of the object's axes: they stay as the reference has them.
        scale, rotation, origin = similarity(points[sure], reference.points[sure].astype(np.float64))
        points = scale * points @ rotation.T + origin
        points *= meters_per_unit(points)
    shared = points.astype(np.float32)
    cameras = [_camera(points, shape, weight, sure) for shape, weight in zip(shapes, weights, strict=True)]
    return [replace(camera, points=shared) for camera in cameras]


def _camera(points: np.ndarray, shape: BaseShape, weight: np.ndarray, sure: np.ndarray) -> BaseShape:
    """A photo's shape with the camera that lays `points` (U, U, 3) over it."""
    scale, rotation, origin = similarity(points[sure], shape.points[sure].astype(np.float64), weight[sure])
    moved = shape.to_crop(origin[None])[0].astype(float)
    return replace(
        shape,
        rotation=shape.rotation @ rotation,
        scale=shape.scale * scale,
        center=(float(moved[0]), float(moved[1])),
        depth=float(moved[2]),
    )


def _points(shapes: Sequence[BaseShape], cameras: Sequence[BaseShape], weights: Sequence[np.ndarray]) -> np.ndarray:
    """The points (U, U, 3) that all photos agree on best, each seen by its camera."""
    side = len(shapes[0].points)
    gram, sums = np.zeros((side, side, 3, 3)), np.zeros((side, side, 3))
    for shape, camera, weight in zip(shapes, cameras, weights, strict=True):
        origin = np.array([*camera.center, camera.depth])
        seen = (shape.position_map() - origin) * FLIP_Y / camera.scale
        # Rows: the photo's right, up and toward the viewer, on the object's axes.
        share = camera.rotation.T * np.array([1, 1, DEPTH])
        gram += weight[..., None, None] * (share @ camera.rotation)
        sums += weight[..., None] * (seen @ share.T)
    return np.asarray(np.linalg.solve(gram, sums[..., None])[..., 0])
