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
from hffne.head.skin_tone import LEAST, SkinTone, fit_skin_tone

# Meters over which the color goes from that of the visible skin nearby to the typical one.
_REACH = 0.08
# Limits of the membrane's brightness against the typical tone (logarithms), and the share of its difference in hue.
_BRIGHTNESS, _HUE = (-0.35, 0.4), 0.85
# Where not only skin is expected: from and to which distance from the middle of the position map (of 1) a color
# must be like skin's. Above the brows hair begins early; below, a beard belongs to the face, if there is one.
_ABOVE, _BELOW, _BEARD = (0.36, 0.52), (0.48, 0.66), (0.74, 0.96)
# What counts as far from skin: the color, in standard deviations, and squared color steps (of logarithms, summed) from
# the face's middle, for a face of the least contrast. The mean of both, in these units, up to which a vertex shows
# skin, and from which it does not.
_FAR_COLOR, _FAR_STEPS = 3.2, 0.08
_SKIN, _OTHER = 0.42, 0.70
# The same for the hair of a beard: none, and certain. A chin in the shade is no beard.
_HAIR = 0.8, 1.2
_MOST_STEPS = 60
# The share of the chin and of the upper lip that is hair up to which there is no beard, and from
# which there is.
_BARE, _BEARDED = 0.25, 0.55
# The face's middle, where steps are counted from, is above this on the position map: a beard is not.
_ABOVE_MOUTH = -0.3
# Brows, eyes, nose and lips belong to the face whatever their color, and so many texels of the position map around.
_FEATURES, _AROUND = ("brows", "eyes", "nose", "lips"), 2
# Rounds of smoothing of the likeness (spots on skin are skin) and of the decision, after excluding the neighbors of
# what is not skin.
_SPOTS, _SOFTNESS, _GROW = 3, 5, 3
# Behind the lids: the share of the skin's color that is left in each channel.
_MUCOSA = np.array([0.92, 0.66, 0.62], np.float32)
# The level of the graph (about 1 cm wide) on which distances to the visible skin are measured.
_WIDE_LEVEL = 2


def skin_model(colors: np.ndarray, seen: np.ndarray) -> SkinTone:
    """The SkinTone from the vertices' colors (n, 3) 0..1; seen (n,) 0..1."""
    return fit_skin_tone(colors, seen * _middle())


def skin_share(colors: np.ndarray, seen: np.ndarray, tone: SkinTone) -> tuple[np.ndarray, np.ndarray]:
    """(n,) float32 each: 0 for hair, collars and background around the face, 1 for what belongs to it; and how far
    a vertex's color is that of skin or lips.

    colors (n, 3) 0..1 of the photo, seen (n,) 0..1.
    """
    graph = levels()[0]
    smooth = graph.smoothed(colors, 1)
    distance = tone.distance(smooth)
    middle = (_skin_needed(False) < 0.2) & (skin().around[:, 1] > _ABOVE_MOUTH) & (distance < 2.5) & (seen > 0.5)
    steps = _edge_distance(smooth, middle) / (_FAR_STEPS * tone.deviation[0] / LEAST[0])
    foreign = (np.square(distance / _FAR_COLOR) + steps) / 2
    like = smoothstep(_OTHER, _SKIN, foreign)
    chin = seen * _chin()
    hairy = smoothstep(*_HAIR, foreign)
    bearded = smoothstep(_BARE, _BEARDED, (hairy * chin).sum() / max(float(chin.sum()), 1e-6))
    needed = _skin_needed(False) + (_skin_needed(True) - _skin_needed(False)) * bearded
    keep = 1 - needed * (1 - smoothstep(0.3, 0.7, graph.smoothed(like[:, None], _SPOTS)[:, 0]))
    least = keep
    for _ in range(_GROW):
        least = np.minimum(least, least[graph.neighbors].min(1))
    least = keep + (least - keep) * needed
    soft = graph.smoothed(least[:, None].astype(np.float32), _SOFTNESS)[:, 0]
    return np.minimum(least, soft).astype(np.float32), np.maximum(like, _lips()).astype(np.float32)


def _edge_distance(colors: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """(n,) float32: the least sum of squared color steps on a way from a source to each vertex.

    Shading changes in many small steps, which add up to little; a hairline is one large step.
    """
    level = levels()[0]
    logs = np.log(colors + DARK).astype(np.float32)
    cost = np.square(logs[level.neighbors] - logs[:, None]).sum(2) + np.where(np.isinf(level.lengths), np.inf, 0)
    cost = cost.astype(np.float32)
    distance = np.where(sources, 0, np.inf).astype(np.float32)
    for _ in range(_MOST_STEPS):
        shorter = np.minimum(distance, (distance[level.neighbors] + cost).min(1))
        if (shorter == distance).all():
            break
        distance = shorter
    return distance


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
    regions = template().regions
    wanted = regions["cheeks"] | regions["nose"] | regions["forehead"] | regions["jaw"]
    return _on_map(wanted.astype(np.float32)) * (np.hypot(*skin().around.T) < 0.55)


@cache
def _chin() -> np.ndarray:
    """(n,) float32: 1 for vertices of the chin and the upper lip's skin, where every beard has hair."""
    landmarks = template().landmarks
    side = len(template().mask)
    mouth, nose, chin = landmarks[48:60], landmarks[33], landmarks[8]
    row = (1 - skin().around[:, 1]) / 2 * side - 0.5
    column = (skin().around[:, 0] + 1) / 2 * side - 0.5
    between = (column > mouth[:, 1].min()) & (column < mouth[:, 1].max()) & (row > nose[0] + 2) & (row < chin[0] - 2)
    lips = cv2.dilate(template().regions["lips"].astype(np.uint8), np.ones((3, 3), np.uint8))
    return between * (1 - _on_map(lips.astype(np.float32))).astype(np.float32)


@cache
def _lips() -> np.ndarray:
    """(n,) float32: 1 on the lips."""
    return _on_map(cv2.GaussianBlur(template().regions["lips"].astype(np.float32), (0, 0), 1.0))


@cache
def _skin_needed(bearded: bool) -> np.ndarray:
    """(n,) float32: 0 in the middle of the face, where everything visible belongs to it, 1 around it."""
    x, y = skin().around.T
    above = smoothstep(-0.25, 0.25, y)
    lower = _BEARD if bearded else _BELOW
    low, high = (below + (top - below) * above for top, below in zip(_ABOVE, lower, strict=True))
    needed = smoothstep(0, 1, (np.hypot(x, y) - low) / (high - low))
    regions = template().regions
    features = np.logical_or.reduce([regions[name] for name in _FEATURES]).astype(np.uint8)
    features = cv2.dilate(features, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _AROUND + 1,) * 2))
    return (needed * (1 - _on_map(cv2.GaussianBlur(features.astype(np.float32), (0, 0), 1.0)))).astype(np.float32)


def _on_map(picture: np.ndarray) -> np.ndarray:
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
