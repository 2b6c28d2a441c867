# SPDX-License-Identifier: GPL-3.0-or-later
"""The colors without light of skin that a photo shows at a grazing angle.

Along the face's outline a photo is darker and grayer than light alone explains: hair throws soft shadows, the lens and
the picture's scaling mix in what is beside it, and the shading network sees few such pixels. From the side this is a
gray patch before the ear. What is broad in these colors is therefore brought to what the skin that faces the camera
goes on as; freckles, wrinkles and stubble stay.
"""

import numpy as np

from hffne.geometry.completion import DARK
from hffne.geometry.grids import smoothstep
from hffne.head.graph import levels
from hffne.head.skin_fill import filled_colors
from hffne.head.skin_tone import SkinTone

# Cosine of the angle to the viewer up to which the broad colors go on from elsewhere, and from which they are the
# photo's.
_GRAZING, _FACING = 0.40, 0.75
# Limits of the factor, logarithms.
_DARKER, _BRIGHTER = -0.25, 0.7
_KNOWN = 0.05, 0.35  # the share of skin around a vertex from and up to which the factor counts
_ROUNDS = 10  # of smoothing: what is broad, some 6 mm


def grazing_factor(
    colors: np.ndarray, share: np.ndarray, certain: np.ndarray, facing: np.ndarray, tone: SkinTone
) -> np.ndarray:
    """(n, 3) float32: what colors without light, sRGB 0..1 plus DARK, are multiplied by at each vertex of the skin.

    colors (n, 3) 0..1 of the photo; share (n,) 0..1: how far it shows the vertex; certain (n,) 0..1: how far its color
    is skin's; facing (n,): the cosine of the angle to the viewer.
    """
    faces = smoothstep(_GRAZING, _FACING, facing)
    ahead = filled_colors(colors, share * certain * faces, tone)
    # Of a beard or of hair at the border nothing is known: the factor goes on from the skin around, and ends within.
    known = (share * certain)[:, None]
    graph = levels()[0]
    change = (np.log(ahead + DARK) - np.log(colors + DARK)) * known
    broad = graph.smoothed(np.hstack([change, known]).astype(np.float32), _ROUNDS)
    change = broad[:, :3] / np.maximum(broad[:, 3:], _KNOWN[0])
    brightness = change.mean(1, keepdims=True)
    change += np.clip(brightness, _DARKER, _BRIGHTER) - brightness
    change *= smoothstep(*_KNOWN, broad[:, 3:])
    return np.exp(change * (1 - faces)[:, None]).astype(np.float32)
