# SPDX-License-Identifier: GPL-3.0-or-later
"""The base shape with the broad forms of the photo's normals.

A position map network knows where a face lies and its proportions; the coarse normals know the forms between: the
bridge of the nose, cheeks, folds. Along the line of sight, where the photo says nothing else, the shape follows the
normals: the depth d that minimizes

    sum over the crop of  w |grad d - (slope of the normals - slope of the shape)|^2 + d^2 / REACH^2

(screened normal integration; Horn & Brooks 1986). The second term leaves wide forms to the position map. On rendered
people that no network saw the surface is 1.41 mm from the true one instead of 1.51, the base mesh's normals on Yale's
ten faces are 12.2 degrees off instead of 13.2.
"""

from dataclasses import replace

import cv2
import numpy as np

from hffne.geometry.base_shape import FLIP_Y, BaseShape
from hffne.geometry.face_parts import FaceParts
from hffne.geometry.feature_masks import round_eyes
from hffne.geometry.grids import sample, smoothstep, surface_normals
from hffne.geometry.project import Projection
from hffne.geometry.uv import template
from hffne.geometry.vectors import length_of
from hffne.maps.height import integrate
from hffne.photo.crop import CROP

# Meters: waves of 2 pi REACH keep half of their height.
REACH = 0.025
# Pixels of 256: the sigma of what is too fine for a mesh, and the side of a cell of the solution.
_FINE, _CELL = 1.5, 2
# Normals are taken for no steeper than this (cosine to the viewer); slopes that differ by more are not of one surface.
_STEEPEST, _APART = 0.3, 0.7
# Cosines to the viewer of the shape from and up to which the photo shows it, to integrate and to move it.
_SHOWN, _MOVED = (0.3, 0.6), (0.15, 0.45)
# Weight of a slope that nobody knows; meters from the rim over which the surface starts to move.
_LEAST, _RIM = 0.02, 0.006
# Balls of eyes and the slit of the mouth keep their form: distances of the eyes around the lids, inner lips, and the
# edge in pixels of 256.
_LIDS, _INNER_LIPS, _EDGE = 0.02, slice(60, 68), 1.5
# The sigma, in texels of the position map, that smooths the moves.
_SMOOTH = 0.8


def shape_by_normals(shape: BaseShape, normal: np.ndarray, projection: Projection, parts: FaceParts) -> BaseShape:
    """The shape moved along the line of sight as far as the normals say.

    normal (256, 256, 3): unit, camera space, of the crop; projection: of the shape on the crop at 256; parts: of the
    photo, for what covers the face keeps its shape.
    """
    position = shape.position_map()
    depth = _depth(shape.scale, normal, projection, _weight(position, projection, parts))
    toward = surface_normals(position * FLIP_Y.astype(np.float32))[..., 2]
    x, y = (np.ascontiguousarray(position[..., k]) for k in (0, 1))
    moved = cv2.remap(depth, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) * smoothstep(*_MOVED, toward)
    moved = cv2.GaussianBlur(moved.astype(np.float32), (0, 0), _SMOOTH) / np.float32(shape.scale)
    return replace(shape, points=shape.points + moved[..., None] * shape.rotation[2].astype(np.float32))


def _weight(position: np.ndarray, projection: Projection, parts: FaceParts) -> np.ndarray:
    """(256, 256) float32 0..1: how far the crop's pixels show the surface of skin."""
    marks = sample(position, template().landmarks)
    own = round_eyes(marks, CROP, _LIDS)
    cv2.fillPoly(own, [np.round(marks[_INNER_LIPS, :2] * 16).astype(np.int32)], (1,), shift=4)
    own = cv2.GaussianBlur(cv2.dilate(own, np.ones((3, 3), np.uint8)), (0, 0), _EDGE)
    shown = projection.mask * smoothstep(*_SHOWN, projection.normal[..., 2])
    return (shown * parts.relief_on_crop(CROP) * (1 - own)).astype(np.float32)


def _depth(scale: float, normal: np.ndarray, projection: Projection, weight: np.ndarray) -> np.ndarray:
    """(256, 256) float32: how far the surface moves to the viewer, in pixels of the crop at 256."""
    wanted = _slope(normal) - _slope(projection.normal)
    weight = weight / (1 + (length_of(wanted) / _APART) ** 4)
    around = cv2.GaussianBlur(weight, (0, 0), _FINE) + 1e-3
    wanted = cv2.GaussianBlur(wanted * weight[..., None], (0, 0), _FINE) / around[..., None]
    weight = np.maximum(weight, _LEAST * projection.mask) + np.float32(1e-3)
    cells = CROP // _CELL, CROP // _CELL
    wanted, weight = (cv2.resize(each, cells, interpolation=cv2.INTER_AREA) for each in (wanted, weight))
    gradient = np.dstack([wanted, np.zeros(cells, np.float32)])
    right, down = (np.broadcast_to(np.array(step, np.float32), (*cells, 3)) for step in ((_CELL, 0, 0), (0, _CELL, 0)))
    depth = cv2.resize(integrate(gradient, right, down, weight, REACH * scale), (CROP, CROP))
    inward = cv2.distanceTransform(projection.mask.astype(np.uint8), cv2.DIST_L2, 5)
    return depth * np.clip(inward / np.float32(_RIM * scale), 0, 1)


def _slope(normal: np.ndarray) -> np.ndarray:
    """The slopes (..., 2) to the right and down of unit normals (..., 3) in camera space."""
    return (normal[..., :2] * FLIP_Y[:2] / np.minimum(-normal[..., 2:], -_STEEPEST)).astype(np.float32)
