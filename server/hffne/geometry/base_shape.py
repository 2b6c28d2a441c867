# SPDX-License-Identifier: GPL-3.0-or-later
"""The base shape: the network's position map without its noise and without the head's pose, in meters.

Three frames: the crop (pixels, x right, y down, z to the viewer), the head (meters, x right, y up,
z out of the face) and the object (Blender's axes: x right, y to the back, z up). object = (x, -z, y) of head.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from hffne.errors import ShapeError
from hffne.geometry.grids import blur, sample
from hffne.geometry.uv import face_texels, template
from hffne.geometry.vectors import length_of, similarity

# The network's noise is fine; shape differences between people are wide. In texels.
SMOOTHING = 1.5
HEAD_TO_OBJECT = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
# Between the crop's frame (y down) and the camera's (y up).
FLIP_Y = np.array([1.0, -1.0, 1.0])
# A template texel this far (meters) off its neighborhood's median is a hole of the layout (a ray that passed between
# the lips, the depth of a nostril), not surface.
SPIKE = 0.004
# Nostrils and the line between the lips fold over in the map: there the surface spans the opening instead. Sigma in
# texels.
FOLD_SMOOTHING = 2.0
# Parts that move with the expression have less weight in the head's pose.
_SOFT_PARTS, _SOFT_WEIGHT = ("jaw", "lips"), 0.25
_EYES = slice(36, 42), slice(42, 48)


@dataclass(frozen=True)
class BaseShape:
    """The base shape of a face, without noise and without the head's pose.

    points   (U, U, 3) float32 meters, object axes; continued a little beyond the mask
    rotation (3, 3) object axes -> camera axes (x right, y up, z to the viewer)
    scale    crop pixels (of 256) per meter
    center   (cx, cy) crop pixel of the object's origin
    depth    crop-pixel depth of the object's origin
    """

    points: np.ndarray
    rotation: np.ndarray
    scale: float
    center: tuple[float, float]
    depth: float

    def position_map(self) -> np.ndarray:
        """(U, U, 3) float32 crop pixels, x right, y down, z to the viewer: the network's map without its noise."""
        return self.to_crop(self.points)

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) in meters, object axes, as the crop pixels (of 256) of a position map; float32."""
        camera = points @ self.rotation.T * self.scale
        origin = np.array([self.center[0], self.center[1], self.depth])
        return (camera * FLIP_Y + origin).astype(np.float32)


def fit_base_shape(position: np.ndarray) -> BaseShape:
    """The BaseShape of a network's position map (U, U, 3), in pixels of the crop at 256.

    The template is aligned to the map by a robust similarity, whose rotation is the head's pose; what is left
    over is smoothed and added to the template, so that lids and lips stay as crisp as the template has them.
    Raises ShapeError when the map has no face in it.
    """
    mean, sound, weight = _clean_template()
    camera = np.asarray(position, np.float64) * FLIP_Y
    if camera.shape != mean.shape:
        raise ValueError(f"the position map is {camera.shape}, not {mean.shape}")
    if not np.isfinite(camera[sound]).all():
        raise ShapeError("The shape of the face could not be found: the network's result is not finite.")
    scale, rotation, origin = _align(mean[sound], camera[sound], weight[sound])
    if not 50 < scale < 50000:
        raise ShapeError("The shape of the face could not be found on this photo.")
    head = (camera - origin) @ rotation / scale
    # Beyond the mask's rim the map is undefined, so only texels inside are averaged.
    change = blur((head - mean).astype(np.float32), SMOOTHING, sound)
    points = mean + change
    folds = _fold_weights()[..., None]
    points = _extrapolated(
        points + (blur(points.astype(np.float32), FOLD_SMOOTHING, sound) - points) * folds, face_texels()
    )
    to_meters = meters_per_unit(points)
    return BaseShape(
        points=(points @ HEAD_TO_OBJECT.T * to_meters).astype(np.float32),
        rotation=rotation @ HEAD_TO_OBJECT.T,
        scale=float(scale / to_meters),
        center=(float(origin[0]), float(-origin[1])),
        depth=float(origin[2]),
    )


def reliable_texels() -> np.ndarray:
    """The texels (U, U) bool of the layout that are surface, not holes of the template or beside them."""
    return _clean_template()[1]


def head_roll(position: np.ndarray) -> float:
    """The tilt, in degrees, of the head of a position map (U, U, 3) to the right of the picture, -180 to 180.

    0 where it is undefined: no face, or a face seen from above or below.
    """
    camera = np.asarray(position, np.float64) * FLIP_Y
    mean, sound, weight = _clean_template()
    if not np.isfinite(camera[sound]).all():
        return 0.0
    _, rotation, _ = _align(mean[sound], camera[sound], weight[sound])
    up = rotation[:2, 1]
    return float(np.degrees(np.arctan2(up[0], up[1]))) if np.hypot(*up) > 0.3 else 0.0


def meters_per_unit(points: np.ndarray) -> float:
    """The scale that makes the interpupillary distance of a position map (U, U, 3) in the head's frame 0.063 m.

    The middles of the eyes' landmarks are measured, relative to those of the mean face, whose pupils are that far
    apart.
    """
    return _eye_distance(_clean_template()[0]) / max(_eye_distance(points), 1e-6)


def _eye_distance(points: np.ndarray) -> float:
    """The distance of the middles of both eyes' landmarks on a position map (U, U, 3)."""
    eyes = sample(points, template().landmarks)
    return float(np.linalg.norm(eyes[_EYES[1]].mean(0) - eyes[_EYES[0]].mean(0)))


@cache
def _fold_weights() -> np.ndarray:
    """Where the map folds over, 0..1 (U, U) float32: the nostrils and the inner lips' outline, with a soft edge."""
    uv = template()
    layer = np.zeros(uv.mask.shape, np.uint8)
    points = np.round(uv.landmarks[:, ::-1]).astype(np.int32)
    for nostril in (points[32], points[34]):
        cv2.circle(layer, (int(nostril[0]), int(nostril[1]) - 3), 3, (1,), -1)
    cv2.fillConvexPoly(layer, cv2.convexHull(points[60:68]), (1,))
    cv2.polylines(layer, [points[60:68]], True, (1,), 3)
    return cv2.GaussianBlur(layer.astype(np.float32), (0, 0), 1.0)


def surface_texels() -> np.ndarray:
    """The texels (U, U) bool of the face whose surface points are reliable: without the layout's holes."""
    return _clean_template()[1]


@cache
def _clean_template() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean face without holes (U, U, 3), its reliable texels (U, U) bool, and their weight in the pose (U, U)."""
    uv = template()
    mean = uv.mean.astype(np.float32)
    middle = np.dstack([cv2.medianBlur(np.ascontiguousarray(mean[..., k]), 5) for k in range(3)])
    spikes = (np.linalg.norm(mean - middle, axis=2) > SPIKE) & uv.mask
    spikes = cv2.dilate(spikes.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    mean = np.where(spikes[..., None], middle, mean)
    for _ in range(60):
        around = cv2.blur(mean, (3, 3))
        mean = np.where(spikes[..., None], around, mean)
    weight = np.ones(uv.mask.shape)
    for name in _SOFT_PARTS:
        weight[uv.regions[name]] = _SOFT_WEIGHT
    # The network's output at a hole blurs into the texels around it.
    doubtful = cv2.dilate(spikes.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return mean, uv.mask & ~doubtful, weight


def _align(source: np.ndarray, target: np.ndarray, weight: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """(scale, rotation, origin) of the similarity target = scale * rotation @ source + origin of points (N, 3).

    Weighted Procrustes, robust to a part of the points that does not follow.
    """
    trust = weight
    for _ in range(6):
        scale, rotation, origin = similarity(source, target, trust)
        error = length_of(target - (scale * source @ rotation.T + origin))
        # Cauchy weights around the typical error.
        typical = max(float(np.median(error)), 1e-9)
        trust = weight / (1 + (error / (2 * typical)) ** 2)
    return scale, rotation, origin


def _extrapolated(points: np.ndarray, mask: np.ndarray, rings: int = 6) -> np.ndarray:
    """A grid (U, U, 3) with everything outside of the mask replaced: linearly for `rings` texels, then constant."""
    result = np.where(mask[..., None], points, 0).astype(np.float32)
    known = mask.copy()
    steps = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)]
    side = len(mask)
    for _ in range(rings):
        rim = (cv2.dilate(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~known
        r, c = np.nonzero(rim)
        if not len(r):
            break
        total, count = np.zeros((len(r), 3)), np.zeros((len(r), 1))
        for dr, dc in steps:
            near = np.clip(r + dr, 0, side - 1), np.clip(c + dc, 0, side - 1)
            far = np.clip(r + 2 * dr, 0, side - 1), np.clip(c + 2 * dc, 0, side - 1)
            one, two = known[near][:, None], (known[near] & known[far])[:, None]
            total += np.where(two, 2 * result[near] - result[far], result[near]) * (two * 3.0 + (one & ~two) * 0.01)
            count += two * 3.0 + (one & ~two) * 0.01
        result[r, c] = total / count
        known[r, c] = True
    _distance, label = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    source = np.zeros((label.max() + 1, 3), np.float32)
    source[label[known]] = result[known]
    return np.where(known[..., None], result, source[label])
