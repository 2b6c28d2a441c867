# SPDX-License-Identifier: GPL-3.0-or-later
"""Several photos of one face as one: shapes averaged, textures merged by how well each photo saw a texel.

All faces share one UV layout, so that a texel is the same place of the face on every photo.
"""

from dataclasses import replace

import cv2
import numpy as np

from hffne.geometry.grids import blur
from hffne.geometry.mesh import meters_per_unit
from hffne.geometry.unwrap import BAND, DARK, GAIN_LIMIT, LOW, Textures, base_normals, enlarge_rows, matching
from hffne.geometry.vectors import normalize, turn

# A texel belongs to the photo that saw it best: mixed, two that do not lie exactly over one another show two lids and two
# lips. Only along the borders they mix, as wide as this (texels of LOW, a Gaussian's sigma).
SEAM = 5.0
# The reference keeps what another saw only this much better, so that eyes, nose and mouth come from one photo.
PREFERRED = 1.25
# Every photo says something of the whole shape; what it saw well it says better. Texels of the softening.
SHAPE_LEAST, SHAPE_SIGMA = 0.15, 6.0


def reference(textures):
    """The index of the photo that saw most of the face; its light and its camera become the whole's."""
    return int(np.argmax([float(one.confidence.mean()) for one in textures]))


def combine(shapes, textures):
    """The faces of one person, one a photo, as one: (BaseShape, Textures).

    shapes    list of BaseShape; the result has the camera of the reference
    textures  list of Textures of the same size, object space
    """
    if not shapes or len(shapes) != len(textures):
        raise ValueError("as many shapes as textures are needed, and one at least")
    if len(shapes) == 1:
        return shapes[0], textures[0]
    first = reference(textures)
    small = [cv2.resize(one.confidence, (LOW, LOW), interpolation=cv2.INTER_AREA) for one in textures]
    shape = _mean_shape(shapes, small, shapes[first])
    return shape, _merge(shapes, textures, small, shape, first)


def _mean_shape(shapes, confidence, like):
    side = len(like.points)
    weights = []
    for seen in confidence:
        seen = cv2.resize(seen, (side, side), interpolation=cv2.INTER_AREA)
        weights.append(SHAPE_LEAST + blur(seen, SHAPE_SIGMA))
    total = np.sum(weights, axis=0)[..., None]
    points = sum(shape.points * weight[..., None] for shape, weight in zip(shapes, weights)) / total
    return replace(like, points=(points * meters_per_unit(points)).astype(np.float32))


def _merge(shapes, textures, confidence, shape, first):
    size = len(textures[0].normal)
    gains = [_gain(textures[first], one, confidence[first], seen) for one, seen in zip(textures, confidence)]
    bases = [base_normals(each, LOW) for each in shapes]
    below = base_normals(shape, LOW)
    weights = _owners(confidence, first)
    merged = Textures(
        np.empty((size, size, 3), np.float32), np.empty((size, size, 3), np.uint8), np.empty((size, size), np.float32)
    )
    for start in range(0, size, BAND):
        rows = slice(start, min(start + BAND, size))
        target = normalize(enlarge_rows(below, size, rows))
        normal, color = np.zeros_like(target), np.zeros_like(target)
        seen = np.zeros(target.shape[:2], np.float32)
        share = enlarge_rows(np.moveaxis(weights, 0, -1).astype(np.float32), size, rows)
        for index, one in enumerate(textures):
            own = normalize(enlarge_rows(bases[index], size, rows))
            part = share[..., index : index + 1]
            # Relief relative to the surface it was seen on, laid onto the common one.
            normal += part * turn(one.normal[rows], own, target)
            gain = enlarge_rows(gains[index], size, rows)
            color += part * ((one.color[rows].astype(np.float32) / 255 + DARK) * gain - DARK)
            seen = np.maximum(seen, one.confidence[rows])
        merged.normal[rows] = normalize(normal)
        merged.color[rows] = np.clip(color * 255 + 0.5, 0, 255).astype(np.uint8)
        merged.confidence[rows] = seen
    return merged


def _owners(confidence, first):
    """How much of each texel is which photo's: (photos, LOW, LOW), sum 1."""
    score = np.stack([blur(seen, 2.0) for seen in confidence])
    # What no photo saw is completed from the reference.
    score[first] = score[first] * PREFERRED + 1e-6
    best = score.argmax(axis=0)
    weights = np.stack([blur((best == index).astype(np.float32), SEAM) for index in range(len(score))])
    return weights / weights.sum(axis=0)


def _gain(base, other, seen_base, seen_other):
    """What brings the other photo's light and white balance to the reference's: (LOW, LOW, 3), smooth."""
    if base is other:
        return np.ones((LOW, LOW, 3), np.float32)
    ratio = [
        np.log(cv2.resize(one.color, (LOW, LOW), interpolation=cv2.INTER_AREA).astype(np.float32) / 255 + DARK)
        for one in (base, other)
    ]
    gain = matching(ratio[0] - ratio[1], (seen_base * seen_other).astype(np.float32))
    return np.exp(np.clip(gain, -GAIN_LIMIT, GAIN_LIMIT)).astype(np.float32)
