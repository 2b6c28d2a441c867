# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyeballs between the lids: their place, and lids that rest on them without cutting them."""

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from hffne.head.contact import Contact, find_contact, near, spread_weights
from hffne.head.model import FACE_END, head_model

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
# Meters: the model's irises reach 0.7 mm below the lower lid's edge, people's just touch it; without this people who
# look into the camera would look up by 5.5 degrees (47 eyes of 24 portraits).
RAISED = 0.00075
_RADIUS = 0.03
# A table of directions: its side, and how far it reaches (1 is the rim of the ball's front half).
_TABLE, _TABLE_REACH = 49, 1.6


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
    gap, _ = ball_surface(model.neutral, ball).gaps(model.neutral[close])
    resting = (gap < RESTING) & (model.neutral[close, 2] > center[2]) & (close < FACE_END)
    lids = close[resting]
    beside = near(model.neutral[close], model.neutral[lids], 2.5 * REACH)
    closing = model.expressions.dense(f"eyeBlink{side}", len(model.neutral))
    face = close[close < FACE_END]
    upper = np.linalg.norm(closing[face], axis=1) > BLINK
    blink = find_contact(model.neutral + closing, face[upper], face[~upper], TOUCH, LID_REACH)
    return Eye(
        ball,
        moved,
        lids,
        gap[resting],
        close[beside],
        np.where(close < FACE_END, np.clip(gap, SEALED, CLOSEST), np.minimum(gap, CLOSEST))[beside],
        spread_weights(model.neutral[close[beside]], model.neutral[lids], REACH),
        replace(blink, offset=blink.offset * CLOSER),
    )


@dataclass(frozen=True)
class BallSurface:
    """The surface of an eyeball as distances from its center (3,), by direction: radii (G, G) meters.

    The table is a stereographic picture of the directions, its middle straight ahead (z).
    """

    center: np.ndarray
    radii: np.ndarray

    def gaps(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far outside of the surface points (N, 3) lie, in meters, (N,); and their directions (N, 3)."""
        offset = points - self.center
        length = np.linalg.norm(offset, axis=1)
        direction = offset / np.maximum(length, 1e-9)[:, None]
        at = direction[:, :2] / np.maximum(1 + direction[:, 2:], 0.1)
        column, row = ((at / _TABLE_REACH + 1) / 2 * (_TABLE - 1)).astype(np.float32).T
        radius = cv2.remap(self.radii, column[None], row[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
        return length - radius, direction


def ball_surface(points: np.ndarray, ball: np.ndarray) -> BallSurface:
    """The BallSurface of the vertices `ball` of a head (V, 3)."""
    center = points[ball].mean(0)
    offset = points[ball] - center
    radius = np.linalg.norm(offset, axis=1)
    nearest = np.argmax(_table_directions() @ (offset / radius[:, None]).T.astype(np.float32), axis=1)
    # The ball's vertices are 2 mm apart.
    table = cv2.GaussianBlur(radius[nearest].reshape(_TABLE, _TABLE).astype(np.float32), (0, 0), 1.0)
    return BallSurface(center, table)


@cache
def _table_directions() -> np.ndarray:
    """The directions (G * G, 3) float32 of a table's entries."""
    axis = np.linspace(-_TABLE_REACH, _TABLE_REACH, _TABLE)
    x, y = np.meshgrid(axis, axis)
    square = x * x + y * y
    return (np.stack([2 * x, 2 * y, 1 - square], -1) / (1 + square)[..., None]).reshape(-1, 3).astype(np.float32)


def turn(points: np.ndarray, eye: Eye, rotation: np.ndarray) -> None:
    """Turn an eyeball of a head (V, 3) about its center by a rotation (3, 3), in place, on the points' axes."""
    center = points[eye.ball].mean(0)
    points[eye.moved] = (points[eye.moved] - center) @ rotation.T + center


def raise_balls(points: np.ndarray) -> None:
    """Move the eyeballs of a head (V, 3) up to where people's are, in place; head axes."""
    for eye in eyes():
        points[eye.moved, 1] += RAISED


def gaze_rotation(yaw: float, pitch: float) -> np.ndarray:
    """The rotation (3, 3) of a gaze straight ahead to +x and up, degrees; head axes (x right, y up, z ahead)."""
    about_y, about_x = np.radians([yaw, pitch])
    c, s, d, t = np.cos(about_y), np.sin(about_y), np.cos(about_x), np.sin(about_x)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ np.array([[1, 0, 0], [0, d, t], [0, -t, d]])


Ball = tuple[Eye, BallSurface]


def balls(points: np.ndarray) -> tuple[Ball, ...]:
    """The eyes of a head (V, 3) with the surfaces of their balls, left and right."""
    return tuple((eye, ball_surface(points, eye.ball)) for eye in eyes())


def rest_lids(points: np.ndarray, on: tuple[Ball, ...], loosest: float | None = LOOSER) -> None:
    """Move the lids of a head (V, 3), in place, so that they rest on the eyeballs as in the neutral head.

    on: of `balls`, for the same place of the eyeballs; loosest: how much farther (meters) lids may lie from the ball;
    None: only what cuts the ball is moved.
    """
    for eye, surface in on:
        gap, direction = surface.gaps(points[eye.lids])
        least = np.maximum(eye.lid_gaps, SEALED)
        wanted = np.clip(gap, least, None if loosest is None else least + loosest)
        points[eye.around] += eye.follow @ ((wanted - gap)[:, None] * direction).astype(np.float32)
        gap, direction = surface.gaps(points[eye.around])
        points[eye.around] += np.maximum(eye.around_gaps - gap, 0)[:, None] * direction
