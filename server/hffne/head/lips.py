# SPDX-License-Identifier: GPL-3.0-or-later
"""Closed lips: the model's identities and a smooth residual part them by a little, which shows the teeth."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from hffne.head.contact import near, spread
from hffne.head.model import HeadModel, head_model

# Meters. The lips of the model's neutral head are within the first of each other where they meet; the correction's
# sigma; the part of the surface that it may move.
TOUCH, REACH, AROUND = 0.0016, 0.006, 0.02
# A vertex that the jaw moves by more than this belongs to the lower lip.
JAW = 0.003


@dataclass(frozen=True)
class Lips:
    """Vertices of the model: upper and lower (n,), which meet in pairs; above, below: the surfaces around them."""

    upper: np.ndarray
    lower: np.ndarray
    above: np.ndarray
    below: np.ndarray


@cache
def lips() -> Lips:
    """The lips of the shipped model."""
    model = head_model()
    soft = np.union1d(model.part_vertices["Skin"], model.part_vertices["Mouth"])
    middle = model.at_landmarks(model.neutral)[[62, 66]].mean(0)
    soft = soft[np.linalg.norm(model.neutral[soft] - middle, axis=1) < 0.045]
    moved = np.linalg.norm(model.expressions.dense("jawOpen", len(model.neutral))[soft], axis=1) > JAW
    above, below = soft[~moved], soft[moved]
    distance = np.linalg.norm(model.neutral[above][:, None] - model.neutral[below][None], axis=2)
    partner, nearest = distance.argmin(1), distance.min(1)
    corners = model.at_landmarks(model.neutral)[[48, 54], 2].min()
    # In front of the teeth only: the mouth bag's folds touch one another too.
    meeting = (nearest < TOUCH) & (model.neutral[above][:, 2] > corners - 0.002)
    upper, lower = above[meeting], below[partner[meeting]]
    anchors = model.neutral[np.concatenate([upper, lower])]
    return Lips(
        upper,
        lower,
        above[near(model.neutral[above], anchors, AROUND)],
        below[near(model.neutral[below], anchors, AROUND)],
    )


def closed(points: np.ndarray, model: HeadModel | None = None) -> np.ndarray:
    """Points (V, 3) of a head with its lips as far from each other as those of the model's neutral head; a new array."""
    model = model or head_model()
    part = lips()
    wanted = model.neutral[part.upper] - model.neutral[part.lower]
    change = (wanted - (points[part.upper] - points[part.lower])) / 2
    result = np.array(points, np.float32)
    for index, anchors, sign in ((part.above, part.upper, 1), (part.below, part.lower, -1)):
        result[index] += spread(model.neutral[index], model.neutral[anchors], sign * change, REACH)
    return result
