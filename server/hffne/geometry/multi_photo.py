# SPDX-License-Identifier: GPL-3.0-or-later
"""Several photos of one face as one: shapes averaged, textures merged by the confidence of each photo's texels.

All faces share one UV layout, so that a texel is the same point of the face on every photo.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from hffne.geometry.base_shape import BaseShape, meters_per_unit
from hffne.geometry.completion import DARK, GAIN_LIMIT, LOW, bands, smooth_difference, to_bytes, upsample_rows
from hffne.geometry.grids import blur
from hffne.geometry.textures import Textures, empty_textures
from hffne.geometry.unwrap import base_normals
from hffne.geometry.vectors import normalize, rotate_between

# A texel is taken from the photo with the highest confidence: a mixture of two that are not exactly aligned would show
# double lids and lips. Only along the borders they are mixed, as wide as this (texels of LOW, a Gaussian's sigma).
SEAM = 5.0
# Factor on the reference photo's confidence, so that eyes, nose and mouth come from one photo.
PREFERRED = 1.25
# Each photo's least weight in the mean shape, and the sigma (texels) that its confidence is blurred with.
SHAPE_LEAST, SHAPE_SIGMA = 0.15, 6.0


def reference_photo(textures: Sequence[Textures]) -> int:
    """The index of the photo that shows most of the face; the merged face has its light and its camera."""
    return int(np.argmax([float(one.confidence.mean()) for one in textures]))


def merge_photos(shapes: Sequence[BaseShape], textures: Sequence[Textures]) -> tuple[BaseShape, Textures]:
    """Merge the faces of one person, one per photo.

    shapes    the merged shape has the camera of the reference photo
    textures  of the same size, object space
    """
    if not shapes or len(shapes) != len(textures):
        raise ValueError("as many shapes as textures are needed, and one at least")
    if len(shapes) == 1:
        return shapes[0], textures[0]
    shape = mean_shape(shapes, textures)
    bases = [base_normals(each, LOW) for each in shapes]
    return shape, merge_textures(textures, bases, base_normals(shape, LOW))


def mean_shape(
    shapes: Sequence[BaseShape], textures: Sequence[Textures], confidence: Sequence[np.ndarray] | None = None
) -> BaseShape:
    """The mean of shapes, one per photo, with the camera of the reference photo.

    confidence: (L, L) on the layout of the position map, by default that of the textures.
    """
    side = len(shapes[0].points)
    weights = []
    for one in [each.confidence for each in textures] if confidence is None else confidence:
        small = cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA)
        weights.append(SHAPE_LEAST + blur(small, SHAPE_SIGMA))
    total = np.sum(weights, axis=0)[..., None]
    points = sum(shape.points * weight[..., None] for shape, weight in zip(shapes, weights, strict=True)) / total
    like = shapes[reference_photo(textures)]
    return replace(like, points=(points * meters_per_unit(points)).astype(np.float32))


def merge_textures(textures: Sequence[Textures], bases: Sequence[np.ndarray], below: np.ndarray) -> Textures:
    """The textures of all photos as one, in the reference photo's light.

    bases (LOW, LOW, 3): each photo's normals of the shape, on the textures' layout; below: the merged shape's.
    """
    size = len(textures[0].normal)
    first = reference_photo(textures)
    confidence = [cv2.resize(one.confidence, (LOW, LOW), interpolation=cv2.INTER_AREA) for one in textures]
    gains = [
        _gain(textures[first], one, confidence[first], other) for one, other in zip(textures, confidence, strict=True)
    ]
    weights = _photo_weights(confidence, first)
    merged = empty_textures(size)
    for rows in bands(size):
        target = normalize(upsample_rows(below, size, rows))
        normal, color = np.zeros_like(target), np.zeros_like(target)
        sure = np.zeros(target.shape[:2], np.float32)
        share = upsample_rows(np.moveaxis(weights, 0, -1).astype(np.float32), size, rows)
        for index, one in enumerate(textures):
            own = normalize(upsample_rows(bases[index], size, rows))
            part = share[..., index : index + 1]
            # Relief relative to its own photo's shape, transferred to the merged one.
            normal += part * rotate_between(one.normal[rows], own, target)
            gain = upsample_rows(gains[index], size, rows)
            color += part * ((one.color[rows].astype(np.float32) / 255 + DARK) * gain - DARK)
            sure = np.maximum(sure, one.confidence[rows])
        merged.normal[rows] = normalize(normal)
        merged.color[rows] = to_bytes(color)
        merged.confidence[rows] = sure
    return merged


def _photo_weights(confidence: Sequence[np.ndarray], first: int) -> np.ndarray:
    """The share of each photo in each texel: (photos, LOW, LOW), sum 1."""
    score = np.stack([blur(one, 2.0) for one in confidence])
    # Texels that no photo shows are completed from the reference.
    score[first] = score[first] * PREFERRED + 1e-6
    best = score.argmax(axis=0)
    weights = np.stack([blur((best == index).astype(np.float32), SEAM) for index in range(len(score))])
    return weights / weights.sum(axis=0)


def _gain(base: Textures, other: Textures, base_confidence: np.ndarray, other_confidence: np.ndarray) -> np.ndarray:
    """The smooth factor (LOW, LOW, 3) that adapts the other photo's light and white balance to the reference's."""
    if base is other:
        return np.ones((LOW, LOW, 3), np.float32)
    ratio = [
        np.log(cv2.resize(one.color, (LOW, LOW), interpolation=cv2.INTER_AREA).astype(np.float32) / 255 + DARK)
        for one in (base, other)
    ]
    gain = smooth_difference(ratio[0] - ratio[1], (base_confidence * other_confidence).astype(np.float32))
    return np.exp(np.clip(gain, -GAIN_LIMIT, GAIN_LIMIT)).astype(np.float32)
