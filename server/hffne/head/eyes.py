# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyeballs between the lids: their place, and lids that rest on them without cutting them."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from hffne.head.contact import near, spread
from hffne.head.model import head_model

SIDES = ("Left", "Right")
# Parts that move with an eyeball.
_BALL_PARTS = ("Eye", "Iris")
# Meters: lids that lie closer to the ball than this in the neutral head rest on it; how much farther out they may lie;
# how close they may come; a correction's sigma and the surface that it may move.
RESTING, LOOSER, CLOSEST = 0.0013, 0.0002, 0.0001
REACH, AROUND = 0.005, 0.012


@dataclass(frozen=True)
class Eye:
    """Vertices of the model around one eye.

    ball (b,) its outer surface; moved (m,) all that moves with it; lids (n,) skin that rests on it and their gaps (n,)
    meters; around (a,) the skin that lids take along, with the gaps (a,) in the neutral head.
    """

    ball: np.ndarray
    moved: np.ndarray
    lids: np.ndarray
    gaps: np.ndarray
    around: np.ndarray
    around_gaps: np.ndarray


@cache
def eyes() -> tuple[Eye, Eye]:
    """The left and the right eye of the shipped model."""
    model = head_model()
    skin = model.part_vertices["Skin"]
    result = []
    for side in SIDES:
        ball = model.part_vertices[f"Eye {side}"]
        moved = np.concatenate([model.part_vertices[f"{part} {side}"] for part in _BALL_PARTS])
        center = model.neutral[ball].mean(0)
        close = skin[np.linalg.norm(model.neutral[skin] - center, axis=1) < 0.03]
        gap = gaps(model.neutral, close, ball)
        # The skin inside of the lids touches the ball too; it is not seen.
        lids = close[(gap < RESTING) & (model.neutral[close, 2] > center[2])]
        around = close[near(model.neutral[close], model.neutral[lids], AROUND)]
        index = np.searchsorted(close, around)
        result.append(Eye(ball, moved, lids, gap[np.searchsorted(close, lids)], around, gap[index]))
    return result[0], result[1]


def gaps(points: np.ndarray, vertices: np.ndarray, ball: np.ndarray) -> np.ndarray:
    """How far outside of an eyeball's surface the vertices (n,) of a head (V, 3) lie, in meters: (n,)."""
    direction, length, surface = _directions(points, vertices, ball)
    nearest = np.argmax(direction @ surface.T, axis=1)
    center = points[ball].mean(0)
    return length - np.linalg.norm(points[ball][nearest] - center, axis=1)


def _directions(
    points: np.ndarray, vertices: np.ndarray, ball: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit directions (n, 3) and distances (n,) of vertices from a ball's center, and the ball's directions (b, 3)."""
    center = points[ball].mean(0)
    offset, surface = points[vertices] - center, points[ball] - center
    length = np.linalg.norm(offset, axis=1)
    return offset / length[:, None], length, surface / np.linalg.norm(surface, axis=1, keepdims=True)


def place_balls(points: np.ndarray, moved: np.ndarray) -> None:
    """Move the eyeballs of a head (V, 3), in place, as their lids were moved: moved (V, 3)."""
    for eye in eyes():
        points[eye.moved] += moved[eye.lids].mean(0)


def rest_lids(points: np.ndarray, loosest: float | None = LOOSER) -> None:
    """Move the lids of a head (V, 3), in place, so that they rest on the eyeballs as in the neutral head.

    loosest: how much farther (meters) they may lie from the ball; None: only what cuts the ball is moved.
    """
    model = head_model()
    for eye in eyes():
        direction = _directions(points, eye.lids, eye.ball)[0]
        gap = gaps(points, eye.lids, eye.ball)
        least = np.clip(eye.gaps, CLOSEST, None)
        wanted = np.maximum(gap, least) if loosest is None else np.clip(gap, least, least + loosest)
        change = (wanted - gap)[:, None] * direction
        points[eye.around] += spread(model.neutral[eye.around], model.neutral[eye.lids], change, REACH)
        push_out(points, eye)


def push_out(points: np.ndarray, eye: Eye) -> None:
    """Move skin of a head (V, 3) that lies inside of an eyeball to its surface, in place."""
    direction = _directions(points, eye.around, eye.ball)[0]
    gap = gaps(points, eye.around, eye.ball)
    inside = gap < np.minimum(eye.around_gaps, CLOSEST)
    points[eye.around[inside]] += ((np.minimum(eye.around_gaps, CLOSEST) - gap)[:, None] * direction)[inside]
