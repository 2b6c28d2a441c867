# SPDX-License-Identifier: GPL-3.0-or-later
"""Random heads of the second family: mixes of its people, warped, with other people's colors, some with hair."""

import cv2
import numpy as np

from hffne.synthesis.avatar_heads import AvatarHeads
from hffne.synthesis.avatar_render import AvatarRenderer, dressed
from hffne.synthesis.render import TEETH, canonical_window, project
from hffne.synthesis.sampling import euler, jittered, random_direction, random_view, stretched

HAIR_SHARE = 0.3  # of the heads that wear cards
_MOUTH, _LIDS = 48, (36, 42)  # the first of the iBUG points of the mouth, of each eye
_WARPS, _BALL = 14, 1.5  # how many bumps; an eyeball's radius in cm


def random_head(rng: np.random.Generator, heads: AvatarHeads, people: np.ndarray) -> np.ndarray:
    """Vertices (V, 3) in cm: one to four of the people mixed, drawn out from the mean, and warped."""
    chosen = rng.choice(people, min(rng.integers(1, 5), len(people)), replace=False)
    weights = rng.dirichlet(np.full(len(chosen), 0.8))
    mean = heads.shapes[people].mean(0)
    mixed = np.einsum("k,kvc->vc", weights.astype(np.float32), heads.shapes[chosen])
    if len(chosen) > 1:
        # A mix lies nearer to the mean than people do.
        mixed = mean + (mixed - mean) * np.float32(rng.uniform(0.9, 1.1) / np.sqrt(np.square(weights).sum()))
    mixed[heads.kind == TEETH, 2] -= 0.4  # mouths are closed; a mix's teeth must not come through the lips
    shape = gaze(rng, heads.balls, mixed)
    shape = lids_and_mouth(rng, shape, shape[heads.landmarks])
    return stretched(rng, warped(rng, shape)).astype(np.float32)


def gaze(rng: np.random.Generator, balls: dict[str, slice], shape: np.ndarray) -> np.ndarray:
    """Vertices (V, 3) with both eyeballs turned to where the head looks. balls: {side: an eyeball's vertices}."""
    turn = euler(np.clip(rng.normal(0, 12), -28, 28), np.clip(rng.normal(-2, 6), -14, 14), 0)
    shape = shape.copy()
    for ball in balls.values():
        center = (shape[ball].max(0) + shape[ball].min(0)) / 2
        center[2] = shape[ball, 2].max() - _BALL  # the files hold the front of the ball only
        shape[ball] = (shape[ball] - center) @ turn.T + center
    return shape


def lids_and_mouth(rng: np.random.Generator, shape: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Vertices (V, 3) with eyes wider or narrower, lips fuller or thinner, the mouth's corners moved: smooth stretches
    of each. marks (68, 3): the iBUG points."""
    moved = shape.copy()
    open_eyes = np.exp(np.clip(rng.normal(-0.1, 0.2), -0.6, 0.25))
    for first in _LIDS:
        middle = marks[first : first + 6].mean(0)
        near = np.exp(-np.square((shape - middle) / [1.6, 0.8, 1.6]).sum(1) / 2)
        moved[:, 1] += near * (open_eyes * np.exp(rng.normal(0, 0.03)) - 1) * (shape[:, 1] - middle[1])
    lips = marks[_MOUTH : _MOUTH + 12]
    middle = lips.mean(0)
    near = np.exp(-np.square((shape - middle) / [2.8, 1.0, 2.0]).sum(1) / 2)
    moved[:, 1] += near * (np.exp(rng.normal(0, 0.18)) - 1) * (shape[:, 1] - middle[1])
    lift, wide = rng.normal(0, 0.18), rng.normal(0, 0.22)
    for corner in (0, 6):
        reach = np.exp(-np.square((shape - lips[corner]) / [1.6, 1.1, 2.0]).sum(1) / 2)
        moved[:, 0] += reach * (wide * np.sign(lips[corner, 0]) + rng.normal(0, 0.04))
        moved[:, 1] += reach * (lift + rng.normal(0, 0.05))
        moved[:, 2] -= reach * abs(wide) * 0.4
    return moved


def warped(rng: np.random.Generator, shape: np.ndarray) -> np.ndarray:
    """Smooth random bumps of 1.5 to 5 cm, mostly the same on both sides."""
    moved = shape.copy()
    mirror = np.array([-1.0, 1.0, 1.0])
    for _ in range(_WARPS):
        middle = np.array([rng.uniform(0, 7), rng.uniform(-9, 8), rng.uniform(3, 10)])
        reach = np.exp(rng.uniform(np.log(1.5), np.log(5)))
        push = rng.normal(0, 0.055, 3) * reach
        even = rng.random() < 0.8
        for side in (1, mirror) if even else (rng.choice([-1, 1]) * mirror * [-1, 1, 1],):
            near = np.exp(-np.square(shape - middle * side).sum(1) / (2 * reach * reach))
            moved += near[:, None] * (push * side)
    return moved


def random_colors(rng: np.random.Generator, heads: AvatarHeads, people: np.ndarray) -> np.ndarray:
    """A color texture (T, T) uint8 of one of the people or a mix of two, of varied brightness and contrast."""
    first, second = heads.grays[rng.choice(people, 2)].astype(np.float32) / 255
    gray = first if rng.random() < 0.6 else first + (second - first) * rng.uniform(0, 1)
    if rng.random() < 0.5:  # remove a part of the light that is painted into it
        broad = cv2.resize(
            cv2.GaussianBlur(cv2.resize(gray, (256, 256), interpolation=cv2.INTER_AREA), (0, 0), 10), gray.shape[::-1]
        )
        gray = gray * (np.median(broad) / np.maximum(broad, 0.05)) ** rng.uniform(0, 0.5)
    return np.round(np.clip(gray, 0, 1) ** np.exp(rng.normal(0, 0.25)) * 255).astype(np.uint8)


def avatar_sample(renderer: AvatarRenderer, people: np.ndarray, rng: np.random.Generator) -> dict:
    """Buffers of one random head of the people (K,), as of `sampling.rendered_sample`, with ``albedo`` (S, S) uint8.

    albedo: the head's colors in gray, encoded sRGB.
    """
    heads, view = renderer.heads, random_view(rng)
    shape = random_head(rng, heads, people)
    window = jittered(rng, canonical_window(project(renderer.layout.sample(shape), view), renderer.layout.mask))
    suns = np.stack([random_direction(rng) for _ in range(2)])
    cards = [heads.hairs[heads.names[k]] for k in people if heads.names[k] in heads.hairs]
    hair = cards[rng.integers(len(cards))] if cards and rng.random() < HAIR_SHARE else None
    if hair is not None:
        renderer, shape = renderer.with_hair(hair), dressed(shape, hair)
    buffers = renderer.buffers(shape, view, window, suns, rng=rng)
    albedo = renderer.colored(shape, view, window, random_colors(rng, heads, people), hair)
    return buffers | {"albedo": albedo, "suns": suns, "up": view.rotation[:, 1].astype(np.float32)}
