# SPDX-License-Identifier: GPL-3.0-or-later
"""Deep wrinkles drawn over a face: dark lines that are skin, for who knows strands of hair takes them for hair."""

import cv2
import numpy as np

from hffne.parts import BROWS, EYES, SKIN

_POINTS = 24  # of a wrinkle's line
_FINE = 2  # wrinkles are drawn on so many times as many pixels


def with_furrows(rng: np.random.Generator, rgb: np.ndarray, part: np.ndarray) -> np.ndarray:
    """A picture (S, S, 3) 0..1 of a face, whose parts (S, S) are known, with wrinkles across its forehead and at times
    around its eyes; the same where it shows no brows."""
    brows, skin = np.argwhere(part == BROWS), part == SKIN
    if len(brows) < 20 or skin.sum() < 500:
        return rgb
    size = len(rgb)
    extent = float(np.sqrt(skin.sum()))
    turn = rng.normal(0, 0.12)
    right, up = np.array([np.cos(turn), np.sin(turn)]), np.array([np.sin(turn), -np.cos(turn)])
    middle = brows.mean(0)[::-1]
    layer = np.zeros((size * _FINE, size * _FINE), np.uint8)
    spacing, wave, bend = extent * rng.uniform(0.02, 0.07), rng.uniform(0, 0.02), rng.normal(0, 0.05)
    for k in range(rng.integers(2, 9)):
        center = middle + up * (extent * rng.uniform(0.06, 0.12) + k * spacing) + right * rng.normal(0, 0.08) * extent
        _draw(rng, layer, center, right, up, extent, (rng.uniform(0.1, 0.5), wave, bend))
    eyes = np.argwhere(part == EYES)
    if len(eyes) > 20 and rng.random() < 0.5:
        for _ in range(rng.integers(2, 12)):
            near = eyes[rng.integers(len(eyes))][::-1] + rng.normal(0, 0.08, 2) * extent
            angle = rng.normal(0, 0.6)
            along = np.array([np.cos(angle), np.sin(angle)])
            _draw(
                rng, layer, near, along, np.array([along[1], -along[0]]), extent, (rng.uniform(0.03, 0.15), 0.0, bend)
            )
    share = cv2.GaussianBlur(
        cv2.resize(layer, (size, size), interpolation=cv2.INTER_AREA), (0, 0), rng.uniform(0.4, 1.4)
    )
    depth = (share.astype(np.float32) / 255) * skin
    lit = np.roll(depth, rng.choice([-2, -1, 1, 2]), 0) * (1 - depth) * skin
    dark = np.float32(1) - rng.uniform(0.15, 0.7) * depth[..., None] * np.array([0.85, 1.0, 1.05], np.float32)
    return np.asarray(np.clip(rgb * dark * (1 + rng.uniform(0, 0.25) * lit[..., None]), 0, 1), np.float32)


def _draw(
    rng: np.random.Generator,
    layer: np.ndarray,
    center: np.ndarray,
    along: np.ndarray,
    up: np.ndarray,
    extent: float,
    form: tuple[float, float, float],
) -> None:
    """Draw one wrinkle to `layer`. form: its half length, how far it waves and bends, in sides of the face."""
    half, wave, bend = form
    t = np.linspace(-1, 1, _POINTS)
    rise = wave * np.sin(6 * t + rng.uniform(0, 6)) + bend * t * t + rng.normal(0, 0.002, _POINTS).cumsum()
    points = center + extent * (half * t[:, None] * along + rise[:, None] * up)
    ends = np.round(points * _FINE * 16).astype(np.int32)
    thickest = np.exp(rng.uniform(0, np.log(6)))
    for k in range(_POINTS - 1):
        width = max(round(thickest * (1 - t[k] ** 2) * rng.uniform(0.6, 1.2)), 1)
        cv2.line(layer, tuple(map(int, ends[k])), tuple(map(int, ends[k + 1])), (255,), width, cv2.LINE_AA, 4)
