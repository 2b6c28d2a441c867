# SPDX-License-Identifier: GPL-3.0-or-later
"""The color of the skin where no photo shows it, for each vertex, so that seams of the UVs cannot show.

The membrane over the visible skin, drawn to the person's typical tone with the distance.
"""

from functools import cache

import cv2
import numpy as np

from hffne.geometry.completion import DARK
from hffne.geometry.grids import smoothstep
from hffne.geometry.uv import template
from hffne.head.graph import extrapolated, levels
from hffne.head.skin import skin
from hffne.head.skin_tone import SkinTone, fit_skin_tone

# Meters over which the color goes from that of the visible skin nearby to the typical one.
_REACH = 0.08
# Limits of the membrane's brightness against the typical tone (logarithms), and the share of its difference in hue.
_BRIGHTNESS, _HUE = (-0.35, 0.4), 0.85
# Standard deviations of the skin's color from and up to which a color is like it.
_LIKE = 4.2, 2.4
_BRIGHTER = 0.0, 0.15  # logarithms of the brightness over the typical one's
_SOFTNESS = 3  # rounds of smoothing
# Behind the lids: the share of the skin's color that is left in each channel.
_MUCOSA = np.array([0.92, 0.66, 0.62], np.float32)
# The level of the graph (about 1 cm wide) on which distances to the visible skin are measured.
_WIDE_LEVEL = 2


def skin_model(colors: np.ndarray, seen: np.ndarray) -> SkinTone:
    """The SkinTone from the vertices' colors (n, 3) 0..1; seen (n,) 0..1."""
    return fit_skin_tone(colors, seen * _middle())


def skin_share(face: np.ndarray, colors: np.ndarray, tone: SkinTone) -> tuple[np.ndarray, np.ndarray]:
    """(n,) float32 each: how far a vertex shows the face and nothing that covers it, and how far its color is that of
    skin or lips, which a beard's is not.

    face (n,) 0..1: of the vertices' own pixels (`FaceParts.face`); colors (n, 3) 0..1 of the photo.
    """
    graph = levels()[0]
    least = face[graph.neighbors].min(1)
    soft = graph.smoothed(least[:, None].astype(np.float32), _SOFTNESS)[:, 0]
    smooth = graph.smoothed(colors, 1)
    like = smoothstep(*_LIKE, tone.distance(smooth))
    # A beard is darker than skin; what is brighter is skin in more light.
    like = np.maximum(like, smoothstep(*_BRIGHTER, tone.features(smooth)[:, 0] - tone.mean[0]))
    return np.minimum(least, soft).astype(np.float32), np.maximum(like, _lips()).astype(np.float32)


def filled_colors(colors: np.ndarray, known: np.ndarray, tone: SkinTone) -> np.ndarray:
    """Colors (n, 3) 0..1 of all vertices where nothing is visible.

    colors (n, 3) of the photo and its mirrored side; known (n,) 0..1: 1 where that is the color of skin or of a part of
    the face.
    """
    graph = levels()
    # A vertex at the border has some of the color beyond it.
    sure = np.clip(4 * known - 3, 0, 1)
    typical = np.log(tone.color + DARK).astype(np.float32)
    logs = extrapolated(np.log(colors + DARK) - typical, sure)
    near = nearness(sure)[:, None]
    # Of a shadow or a reflection at the border only so much goes on, and less of its hue.
    brightness = logs.mean(1, keepdims=True)
    logs = np.clip(brightness, *_BRIGHTNESS) + (logs - brightness) * _HUE
    logs = typical + logs * near * (sure.max() > 0)
    logs = graph[0].smoothed(logs.astype(np.float32), 6, sure)
    filled = np.clip(np.exp(logs) - DARK, 0, 1)
    return (filled * (1 - _behind_lids() * (1 - _MUCOSA))).astype(np.float32)


def nearness(sure: np.ndarray) -> np.ndarray:
    """(n,) float32: 1 at the visible skin, `sure` (n,) above 0.5, less and less with the distance from it."""
    graph = levels()
    value = sure
    for level in graph[:_WIDE_LEVEL]:
        highest = np.zeros(int(level.parent.max()) + 1, np.float32)
        np.maximum.at(highest, level.parent, value.astype(np.float32))
        value = highest
    wide = graph[_WIDE_LEVEL]
    distance = np.where(value > 0.5, 0, 1).astype(np.float32)
    for _ in range(60):
        shorter = np.minimum(distance, (distance[wide.neighbors] + wide.lengths).min(1))
        if (shorter == distance).all():
            break
        distance = shorter
    for level in graph[_WIDE_LEVEL - 1 :: -1]:
        distance = level.smoothed(distance[level.parent][:, None], 3)[:, 0]
    return np.exp(-distance / _REACH)


@cache
def _middle() -> np.ndarray:
    """(n,) float32: 1 for vertices of cheeks, nose and the lower part of the forehead."""
    return on_map(template().region("cheeks", "nose", "forehead", "jaw")) * (np.hypot(*skin().around.T) < 0.55)


@cache
def _lips() -> np.ndarray:
    """(n,) float32: 1 on the lips."""
    return on_map(cv2.GaussianBlur(template().region("lips"), (0, 0), 1.0))


def on_map(picture: np.ndarray) -> np.ndarray:
    """(n,) float32: values of a picture (U, U) on the position map's layout at the skin's vertices, 0 beside it."""
    side = len(picture)
    at = (skin().around * [1, -1] + 1) / 2 * side - 0.5
    x, y = (np.ascontiguousarray(at[:, k : k + 1], np.float32) for k in (0, 1))
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR)[:, 0]


@cache
def _behind_lids() -> np.ndarray:
    """(n, 1) float32: 1 in the sockets, 0 on the face, with a soft edge at the lids."""
    layout = skin()
    inner = np.zeros((len(layout.vertices), 1), np.float32)
    inner[layout.of_point[layout.chart > 2]] = 1
    return levels()[0].smoothed(inner, 8)
