# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not skin at the border of the visible face: strands that the parsing network took for skin, the dark side of
an ear, the shadow of hair. On a head they would be stains beside plain skin."""

from functools import cache

import cv2
import numpy as np

from hffne.geometry.grids import smoothstep
from hffne.geometry.uv import template
from hffne.head.graph import levels
from hffne.head.skin import skin
from hffne.head.skin_fill import on_map
from hffne.head.skin_tone import SkinTone

# Rounds of smoothing that tell how far away the border is, and how much is missing around a vertex beside it.
_AROUND, _BESIDE = 10, (0.05, 0.3)
# Standard deviations of the skin's color from and up to which a color is another.
_UNLIKE = 2.0, 3.4
# Rounds in which the neighbors of such vertices count as well, and of smoothing.
_GROW, _SOFTNESS = 1, 2
# Lids, lashes, brows and nostrils are not the skin's color either. The zone's edge, of the position map's side: it
# reaches so far, and has this sigma.
_FEATURES, _REACH, _EDGE = ("lips", "nose", "eyes", "brows"), 0.03, 0.012
# Beards grow below the base of the nose, of the map's half side as far around it. There is one from this share of the
# chin on that is not the skin's color; the chin is so wide, and ends at this point.
_NOSE, _BEARD_EDGE, _FACE = 33, (-0.1, 0.1), ("jaw", "cheeks", "lips", "nose")
_BEARDED, _CHIN, _CHIN_POINT = (0.08, 0.25), 0.3, 8


def border_colors(shown: np.ndarray, colors: np.ndarray, tone: SkinTone) -> np.ndarray:
    """(n,) float32 of the skin's vertices: 1 where a color beside the border is not the skin's, 0 elsewhere.

    shown (n,) 0..1: how well the photo shows a vertex's skin; colors (n, 3) 0..1 of the photo; tone: the person's skin.
    """
    graph = levels()[0]
    missing = 1 - graph.smoothed(shown[:, None].astype(np.float32), _AROUND)[:, 0]
    off = (tone.features(graph.smoothed(colors, 1)) - tone.mean) / tone.deviation
    # What is brighter is skin in more light or a gray beard, unless it is redder, a collar's color on skin.
    off[(off[:, 0] > 0) & (off[:, 1] < 0)] = 0
    off[:, 0] = np.minimum(off[:, 0], 0)
    unlike = smoothstep(*_UNLIKE, np.linalg.norm(off, axis=1))
    chin = _chin() * (missing < _BESIDE[0])
    # The darker of both halves may lie in a shadow.
    halves = [chin * (skin().around[:, 0] * side > 0) for side in (-1, 1)]
    beard = min([smoothstep(*_BEARDED, half @ unlike / half.sum()) for half in halves if half.any()], default=1.0)
    own = np.maximum(_features(), _lower_face() * beard)
    found = smoothstep(*_BESIDE, missing) * unlike * (1 - own)
    return graph.grown(found.astype(np.float32), _GROW, _SOFTNESS)


@cache
def _chin() -> np.ndarray:
    """(n,) float32: 1 on the front of the chin, between its point and the lips, 0 beside it."""
    at = skin().around
    front = (np.abs(at[:, 0]) < _CHIN) & (at[:, 1] > _height(_CHIN_POINT))
    return (front * (_lower_face() > 0.5) * (1 - _features())).astype(np.float32)


@cache
def _lower_face() -> np.ndarray:
    """(n,) float32: 1 on the face below the base of the nose, 0 above it, on the neck and before the ears."""
    below = smoothstep(*_BEARD_EDGE, _height(_NOSE) - skin().around[:, 1])
    return (below * on_map(cv2.GaussianBlur(template().region(*_FACE), (0, 0), _EDGE * len(template().mask)))).astype(
        np.float32
    )


def _height(point: int) -> float:
    """An iBUG point's, as in `Skin.around`."""
    uv = template()
    return float(1 - 2 * (uv.landmarks[point, 0] + 0.5) / len(uv.mask))


@cache
def _features() -> np.ndarray:
    """(n,) float32: 1 on regions of the position map whose colors are their own, 0 away from them."""
    zone = template().region(*_FEATURES)
    reach = round(_REACH * len(zone))
    zone = cv2.dilate(zone, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    return on_map(cv2.GaussianBlur(zone, (0, 0), _EDGE * len(zone)))
