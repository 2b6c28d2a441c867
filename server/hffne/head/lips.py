# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lips meet: the model's identities and a smooth residual part them by a little, which shows the teeth."""

from functools import cache

import numpy as np

from hffne.head.contact import Contact, find_contact
from hffne.head.model import head_model

# Meters. The lips of the model's neutral head are this close to each other where they meet; a correction's sigma.
TOUCH, REACH = 0.0016, 0.006
# A vertex that the jaw moves by more than this belongs to the lower lip.
JAW = 0.003
# The mouth's surroundings, and how far behind its corners the lips still count: the mouth bag's folds touch one another
# too.
_RADIUS, _BEHIND = 0.045, 0.002


@cache
def lips() -> Contact:
    """The upper and the lower lip of the shipped model."""
    model = head_model()
    marks = model.at_landmarks(model.neutral)
    soft = np.union1d(model.part_vertices["Skin"], model.part_vertices["Mouth"])
    soft = soft[np.linalg.norm(model.neutral[soft] - marks[[62, 66]].mean(0), axis=1) < _RADIUS]
    lower = np.linalg.norm(model.expressions.dense("jawOpen", len(model.neutral))[soft], axis=1) > JAW
    front = model.neutral[soft, 2] > marks[[48, 54], 2].min() - _BEHIND
    return find_contact(model.neutral, soft[~lower & front], soft[lower & front], TOUCH, REACH)
