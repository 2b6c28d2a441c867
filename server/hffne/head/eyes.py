# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyeballs between the lids: their place, and lids that rest on them without cutting them."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from hffne.head.contact import Contact, find_contact, near, spread_weights
from hffne.head.model import head_model

SIDES = ("Left", "Right")
# Parts that move with an eyeball.
_BALL_PARTS = ("Eye", "Iris")
# Meters: lids that lie closer to the ball than this in the neutral head rest on it; how much farther out they may lie;
# how close they may come; a correction's sigma.
RESTING, LOOSER, CLOSEST, REACH = 0.0013, 0.0002, 0.0001, 0.005
# How deep the model's lid margins may lie in the ball, so that there is no slit between them.
SEALED = -0.00015
# Meters: how close the lids of a closed eye are; a vertex that blinking moves by more than this is of the upper lid; a
# correction's sigma.
TOUCH, BLINK, LID_REACH = 0.0012, 0.004, 0.003
# The model's blinking leaves a slit; its width is reduced to this share.
CLOSER = 0.25
_RADIUS = 0.03
# The skin before this vertex is seen; behind it are the eye sockets, which the model has inside of the eyeballs.
_FACE_END = 9409


@dataclass(frozen=True)
class Eye:
    """Vertices of the model around one eye.

    ball (b,) its outer surface; moved (m,) all that moves with it; lids (n,) skin that rests on it, and its distances
    (n,) in meters; around (a,) the skin that lids take along by the matrix follow (a, n), and how close it may
    come (a,);
    blink: the upper and the lower lid where they meet when the eye is closed.
    """

    ball: np.ndarray
    moved: np.ndarray
    lids: np.ndarray
    lid_gaps: np.ndarray
    around: np.ndarray
    around_gaps: np.ndarray
    follow: np.ndarray
    blink: Contact


@cache
def eyes() -> tuple[Eye, Eye]:
    """The left and the right eye of the shipped model."""
    return _eye("Left"), _eye("Right")


def _eye(side: str) -> Eye:
    model = head_model()
    skin = model.part_vertices["Skin"]
    ball = model.part_vertices[f"Eye {side}"]
    moved = np.concatenate([model.part_vertices[f"{part} {side}"] for part in _BALL_PARTS])
    center = model.neutral[ball].mean(0)
    close = skin[np.linalg.norm(model.neutral[skin] - center, axis=1) < _RADIUS]
    gap = gaps(model.neutral, close, ball)
    resting = (gap < RESTING) & (model.neutral[close, 2] > center[2]) & (close < _FACE_END)
    lids = close[resting]
    beside = near(model.neutral[close], model.neutral[lids], 2.5 * REACH)
    closing = model.expressions.dense(f"eyeBlink{side}", len(model.neutral))
    face = close[close < _FACE_END]
    upper = np.linalg.norm(closing[face], axis=1) > BLINK
    blink = find_contact(model.neutral + closing, face[upper], face[~upper], TOUCH, LID_REACH)
    return Eye(
        ball,
        moved,
        lids,
        gap[resting],
        close[beside],
        np.where(close < _FACE_END, np.clip(gap, SEALED, CLOSEST), np.minimum(gap, CLOSEST))[beside],
        spread_weights(model.neutral[close[beside]], model.neutral[lids], REACH),
        replace(blink, offset=blink.offset * CLOSER),
    )


def gaps(points: np.ndarray, vertices: np.ndarray, ball: np.ndarray) -> np.ndarray:
    """How far outside of an eyeball's surface the vertices (n,) of a head (V, 3) lie, in meters: (n,)."""
    return _from_ball(points, vertices, ball)[1]


def _from_ball(points: np.ndarray, vertices: np.ndarray, ball: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit directions (n, 3) of vertices from a ball's center, and their distances (n,) from its surface."""
    center = points[ball].mean(0)
    offset, surface = points[vertices] - center, points[ball] - center
    length, radius = np.linalg.norm(offset, axis=1), np.linalg.norm(surface, axis=1)
    direction = offset / length[:, None]
    # Interpolated over the three nearest directions: the ball's vertices are 2 mm apart.
    cosine = direction @ (surface / radius[:, None]).T
    nearest = np.argpartition(cosine, -3, axis=1)[:, -3:]
    weight = 1 / (1.0001 - np.take_along_axis(cosine, nearest, 1))
    return direction, length - (radius[nearest] * weight).sum(1) / weight.sum(1)


def place_balls(points: np.ndarray, moved: np.ndarray) -> None:
    """Move the eyeballs of a head (V, 3), in place, as their lids were moved: moved (V, 3)."""
    for eye in eyes():
        points[eye.moved] += moved[eye.lids].mean(0)


def rest_lids(points: np.ndarray, which: tuple[Eye, ...], loosest: float | None = LOOSER) -> None:
    """Move the lids of a head (V, 3), in place, so that they rest on the eyeballs as in the neutral head.

    loosest: how much farther (meters) they may lie from the ball; None: only what cuts the ball is moved.
    """
    for eye in which:
        direction, gap = _from_ball(points, eye.lids, eye.ball)
        least = np.maximum(eye.lid_gaps, SEALED)
        wanted = np.clip(gap, least, None if loosest is None else least + loosest)
        points[eye.around] += eye.follow @ ((wanted - gap)[:, None] * direction).astype(np.float32)
        direction, gap = _from_ball(points, eye.around, eye.ball)
        inside = eye.around_gaps - gap
        points[eye.around] += np.maximum(inside, 0)[:, None] * direction
