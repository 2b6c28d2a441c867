# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lips meet: the model's identities and a smooth residual part them by a little, which shows the teeth."""

from dataclasses import replace
from functools import cache

import numpy as np

from hffne.geometry.grids import smoothstep
from hffne.head.contact import Contact, find_contact
from hffne.head.model import head_model
from hffne.head.mouth import mouth

# Meters. The lips of the model's neutral head are this close to each other where they meet; a correction's sigma.
TOUCH, REACH = 0.0016, 0.006
# The model's lips leave a slit that shows the teeth: how much closer they are made, and how close at most.
_PRESSED, _LEAST_GAP = 0.0001, 0.0003
# How far over the surface the lips reach from the inner lips, and how far from a corner of the mouth they begin.
AROUND, _BESIDE_CORNER = 0.012, 0.0008
# Meters from the other lip's side over which corrections fade in, and over which what smooths the corners fades out.
_CORNER_FADE, _CORNER = 0.002, 0.003
# How often the movement of the corners is smoothed: crossings of 0.39 to 0.56 mm become 0.20 to 0.28 mm.
_SMOOTHED = 16


@cache
def lips() -> Contact:
    """The upper and the lower lip of the shipped model."""
    model = head_model()
    around = mouth()
    close = (around.to_lips < AROUND) & (around.to_other > _BESIDE_CORNER)
    upper, lower = (around.vertices[close & side] for side in (~around.lower, around.lower))
    sides = around.vertices[~around.lower], around.vertices[around.lower]
    contact = find_contact(model.neutral, upper, lower, TOUCH, REACH, sides)
    pressed = np.clip(contact.distance - _LEAST_GAP, 0, _PRESSED)
    # Across the corners of the mouth, where the lips are one, both move alike: not at all.
    fade = smoothstep(0, _CORNER_FADE, around.to_other)[:, None].astype(np.float32)
    return replace(
        contact,
        offset=contact.offset - pressed * contact.direction,
        to_first=contact.to_first * fade[around.place[contact.around_first]],
        to_second=contact.to_second * fade[around.place[contact.around_second]],
    )


def uncross_lips(posed: np.ndarray, neutral: np.ndarray) -> None:
    """Move the lips of a head (V, 3), in place, where they have passed through each other, its corners included.

    neutral (V, 3): what it has moved from.
    """
    lips().uncross(posed)
    smooth_corners(posed, neutral)


def smooth_corners(posed: np.ndarray, neutral: np.ndarray) -> None:
    """Smooth how a head (V, 3), in place, has moved from its neutral around the corners of the mouth.

    There both lips are one surface, which an expression folds over itself, and `lips` moves nothing.
    """
    corners, beside, matrix = _smoothing()
    posed[corners] = neutral[corners] + matrix @ (posed[beside] - neutral[beside])


@cache
def _smoothing() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices at the corners (n,), those whose movement theirs is a mean of (m,), and its weights (n, m)."""
    around = mouth()
    corners = np.flatnonzero(around.to_other < _CORNER)
    share = 1 - smoothstep(0, _CORNER, around.to_other[corners])[:, None]
    neighbors = around.graph.neighbors[corners]
    beside = np.union1d(corners, neighbors)
    corner, neighbor = np.searchsorted(beside, corners), np.searchsorted(beside, neighbors)
    weights = np.eye(len(beside))
    for _ in range(_SMOOTHED):
        weights[corner] += share * (weights[neighbor].mean(1) - weights[corner])
    return around.vertices[corners], around.vertices[beside], weights[corner].astype(np.float32)
