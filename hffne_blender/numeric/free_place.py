# SPDX-License-Identifier: GPL-3.0-or-later
"""A place for a box beside others."""

import numpy as np


def free_offset(box: np.ndarray, others: np.ndarray, gap: float) -> float:
    """How far a box has to move along +x until it touches none of the others: 0 where it is free already.

    box     (2, 3): its lowest and its highest corner
    others  (N, 2, 3)
    gap     distance that is kept in x to a box that is in the way
    """
    offset = 0.0
    # Only what stands beside the way of the box can be touched.
    beside = [other for other in others if np.all(other[0, 1:] < box[1, 1:]) and np.all(other[1, 1:] > box[0, 1:])]
    for low, high in sorted(((other[0, 0], other[1, 0]) for other in beside), key=lambda ends: ends[0]):
        if low < box[1, 0] + offset and high > box[0, 0] + offset:
            offset = float(high - box[0, 0] + gap)
    return offset
