# SPDX-License-Identifier: GPL-3.0-or-later
"""Teeth and the inside of the mouth on a photo: where the fitted lips lie a little beside those of the photo, their
vertices show them, and they must not be painted onto the lips."""

from functools import cache

import numpy as np

from hffne.geometry.grids import smoothstep
from hffne.head.graph import levels
from hffne.head.mouth import mouth
from hffne.head.skin import skin
from hffne.head.skin_tone import SkinTone

# Meters over the surface from the inner lips: the lips, and where they have ended.
_LIPS = 0.007, 0.010
# How much less red than the skin (log of red to green, in its deviations) teeth are, from and to; and how much darker
# (logarithms) the inside of the mouth is. Lips are at least as red as skin.
_PALE, _DARK = (0.8, 1.6), (0.9, 1.3)
# Rounds in which the neighbors of such vertices count as well, and of smoothing.
_GROW, _SOFTNESS = 2, 2


def inside_of_mouth(colors: np.ndarray, tone: SkinTone) -> np.ndarray:
    """(n,) float32 of the skin's vertices: 1 on the lips where the photo's colors (n, 3) 0..1 are those of teeth or of
    the inside of the mouth, 0 elsewhere. tone: the person's skin."""
    features = tone.features(colors)
    pale = smoothstep(*_PALE, (tone.mean[1] - features[:, 1]) / tone.deviation[1])
    dark = smoothstep(*_DARK, tone.mean[0] - features[:, 0])
    found = (np.maximum(pale, dark) * _on_lips()).astype(np.float32)
    return levels()[0].grown(found, _GROW, _SOFTNESS)


@cache
def _on_lips() -> np.ndarray:
    """(n,) float32: 1 on the lips, 0 beside them."""
    place = mouth().place[skin().vertices]
    distance = np.where(place >= 0, mouth().to_lips[place], np.inf)
    return (1 - smoothstep(*_LIPS, distance)).astype(np.float32)
