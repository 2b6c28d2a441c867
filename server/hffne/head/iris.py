# SPDX-License-Identifier: GPL-3.0-or-later
"""The irises on the photo: where the eyes look, and their color.

The iris is the darkest disc of known size between the lids, with a step to the brighter white of the eye on its left
and right (the integro-differential operator of Daugman 1993, on the arcs that lids do not cover).
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.grids import sample
from hffne.geometry.uv import template
from hffne.photo.crop import CROP, Crop, extract_crop, to_gray

# Meters: the iris's radius differs by a few hundredths between people; the square that is searched.
RADIUS, SQUARE = 0.0059, 0.032
PIXELS = 96
# sRGB, where no iris is seen.
PLAIN_COLOR = (0.25, 0.17, 0.12)
# An eye whose slit is narrower than this share of its width is closed.
CLOSED = 0.12
# Photo pixels: an iris of a smaller radius is not measured.
_SMALLEST = 2.5
# Weakest step at the iris's edge, in units of the eye's own range of brightness.
_LEAST_STEP = 0.06
# How far from the slit's middle, in iris radii, x right, y down, an iris is expected, and by how much it differs. It
# lies above the middle, for the upper lid covers a part of it.
_EXPECTED, _SPREAD = np.array([0.0, -0.15]), np.array([0.4, 0.24])
# What counts beside the step at the edge, by half: how dark the disc is, how much of it lies between the lids, and its
# place. Chosen by the irises that MediaPipe finds on 64 portraits.
_STEP, _DARK, _BETWEEN, _PLACE = 0.5, 2.0, 0.6, 0.12
# iBUG points: of the right eye (the viewer's left), then the left one.
SLITS = {"Right": slice(36, 42), "Left": slice(42, 48)}
# Points of a disc, in iris radii.
_DISC = np.stack(np.meshgrid(*[np.linspace(-1, 1, 13)] * 2), -1).reshape(-1, 2)
_DISC = _DISC[np.hypot(*_DISC.T) <= 0.9]
_ARC = np.radians([-40, -28, -16, -4, 8, 20, 32, 44])


@dataclass(frozen=True)
class Iris:
    """An iris: center (2,) meters from the middle of the eye's slit (x right, y up, camera axes); color (3,) sRGB 0..1;
    step: how clear its edge is."""

    center: np.ndarray
    color: np.ndarray
    step: float


def find_iris(rgb: np.ndarray, crop: Crop, shape: BaseShape, side: str) -> Iris | None:
    """An eye's iris on a photo, or None for an eye that is closed or too small.

    rgb (H, W, 3) the photo; crop: the Crop that `shape` is on; side: "Left" or "Right" of the person.
    """
    points = sample(shape.position_map(), template().landmarks[SLITS[side]])
    width = np.linalg.norm(points[3] - points[0])
    height = np.linalg.norm(points[1:3].mean(0) - points[4:6].mean(0))
    photo_scale = shape.scale * crop.side / CROP
    if height < CLOSED * width or RADIUS * photo_scale < _SMALLEST:
        return None
    at = crop.resized(CROP).to_photo(points.mean(0)[None])[0]
    patch = replace(crop, center_x=at[0] + 0.5, center_y=at[1] + 0.5, side=SQUARE * photo_scale, size=PIXELS)
    picture = extract_crop(rgb, patch)
    slit = _slit(patch.to_crop(crop.resized(CROP).to_photo(points))[:, :2])
    return _search(picture, slit)


def _slit(outline: np.ndarray) -> np.ndarray:
    """(P, P) uint8: 1 between the lids, a little more than their outline (6, 2)."""
    layer = cv2.fillConvexPoly(
        np.zeros((PIXELS, PIXELS), np.uint8), cv2.convexHull(np.round(outline).astype(np.int32)), (1,)
    )
    return cv2.dilate(layer, np.ones((5, 5), np.uint8))


def _search(picture: np.ndarray, slit: np.ndarray) -> Iris | None:
    gray = cv2.GaussianBlur(to_gray(picture), (0, 0), 1.0)
    inside = gray[slit > 0]
    if len(inside) < 50:
        return None
    low, high = np.percentile(inside, [3, 97])
    gray = np.clip((gray - low) / max(float(high - low), 0.02), 0, 1)
    radius = RADIUS / SQUARE * PIXELS
    rows, columns = np.nonzero(slit)
    middle = np.array([columns.mean(), rows.mean()])
    reach = np.arange(-1.4, 1.41, 0.1) * radius
    centers = np.stack(np.meshgrid(reach, reach * 0.55), -1).reshape(-1, 2) + middle
    best_score, best_step = np.full(len(centers), -np.inf), np.zeros(len(centers))
    place = np.square(((centers - middle) / radius - _EXPECTED) / _SPREAD).sum(1) / 2
    disc = centers[:, None] + _DISC * radius
    between = _at(cv2.GaussianBlur(slit.astype(np.float32), (0, 0), 1.5), disc).mean(1)
    own = _DARK * (1 - _at(gray, disc).mean(1)) + _BETWEEN * between - _PLACE * place
    angles = np.concatenate([_ARC, np.pi - _ARC])
    for factor in (0.9, 1.0, 1.1):
        ring = np.stack([np.cos(angles), np.sin(angles)], 1) * radius * factor
        steps = _at(gray, centers[:, None] + ring * 1.18) - _at(gray, centers[:, None] + ring * 0.82)
        # Only where the white of the eye is between the lids.
        seen = _at(slit.astype(np.float32), centers[:, None] + ring * 1.1)
        step = (steps * seen).sum(1) / np.maximum(seen.sum(1), 4)
        score = _STEP * step + own
        better = score > best_score
        best_score[better], best_step[better] = score[better], step[better]
    number = int(np.argmax(best_score))
    if best_step[number] < _LEAST_STEP:
        return None
    center = centers[number]
    meters = (center - (PIXELS - 1) / 2) * [1, -1] * (SQUARE / PIXELS)
    return Iris(meters, _color(picture, slit, center, radius), float(best_step[number]))


def _color(picture: np.ndarray, slit: np.ndarray, center: np.ndarray, radius: float) -> np.ndarray:
    """The median color of the iris without pupil, highlights and lashes."""
    rows, columns = np.indices(slit.shape)
    distance = np.hypot(columns - center[0], rows - center[1]) / radius
    ring = (distance > 0.42) & (distance < 0.88) & (cv2.erode(slit, np.ones((9, 9), np.uint8)) > 0)
    if ring.sum() < 20:
        ring = (distance > 0.42) & (distance < 0.88) & (slit > 0)
    pixels = picture[ring]
    if not len(pixels):
        return np.array(PLAIN_COLOR)
    luma = to_gray(pixels)
    low, high = np.percentile(luma, [20, 75])
    return np.median(pixels[(luma >= low) & (luma <= high)], axis=0)


def _at(layer: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Values (N, K) of a layer (P, P) at x, y points (N, K, 2)."""
    x, y = np.moveaxis(points.astype(np.float32), -1, 0)
    return cv2.remap(layer, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
