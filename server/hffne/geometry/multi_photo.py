# SPDX-License-Identifier: GPL-3.0-or-later
"""Several photos of one face as one: shapes averaged, textures merged by the confidence of each photo's texels.

All faces share one UV layout, so that a texel is the same point of the face on every photo.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from hffne.geometry.completion import DARK, GAIN_LIMIT, LOW, each_band, smooth_difference, to_bytes, upsample_rows
from hffne.geometry.grids import blur
from hffne.geometry.textures import Textures, empty_textures
from hffne.geometry.vectors import normalize

# A texel is taken from the photo with the highest confidence: a mixture of two that are not exactly aligned would show
# double lids and lips. Only along the borders they are mixed, as wide as this (texels of LOW, a Gaussian's sigma).
SEAM = 5.0
# Factor on the reference photo's confidence, so that eyes, nose and mouth come from one photo.
PREFERRED = 1.25
# How a larger face on the photo counts: its confidence by the ratio of sizes to this power.
SHARPER = 0.5


def merge_textures(textures: Sequence[Textures], first: int, sharpness: Sequence[float]) -> Textures:
    """The textures that one shape got from several photos as one, in the light of photo `first`.

    textures   of the same size, object space
    sharpness  of each photo, how large the face is on it, in any unit
    """
    if len(textures) == 1:
        return textures[0]
    size = len(textures[0].normal)
    confidence = [cv2.resize(one.confidence, (LOW, LOW), interpolation=cv2.INTER_AREA) for one in textures]
    gains = [
        _gain(textures[first], one, confidence[first], other) for one, other in zip(textures, confidence, strict=True)
    ]
    ratios = (np.array(sharpness) / max(sharpness)) ** SHARPER
    weights = _photo_weights([one * ratio for one, ratio in zip(confidence, ratios, strict=True)], first)
    merged = empty_textures(size)

    def fill(rows: slice) -> None:
        share = upsample_rows(np.moveaxis(weights, 0, -1).astype(np.float32), size, rows)
        normal, color = (np.zeros((*share.shape[:2], 3), np.float32) for _ in range(2))
        sure = np.zeros(share.shape[:2], np.float32)
        for index, one in enumerate(textures):
            part = share[..., index : index + 1]
            normal += part * one.normal[rows]
            gain = upsample_rows(gains[index], size, rows)
            color += part * ((one.color[rows].astype(np.float32) / 255 + DARK) * gain - DARK)
            sure = np.maximum(sure, one.confidence[rows])
        merged.normal[rows] = normalize(normal)
        merged.color[rows] = to_bytes(color)
        merged.confidence[rows] = sure

    each_band(size, fill)
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
