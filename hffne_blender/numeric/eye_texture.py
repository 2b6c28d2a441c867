# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of an eye over its own UVs: the white of the eye, and an iris in the photo's color.

Everything is placed by the distance from the axis through the pupil, so the layout of the UVs does not matter.
"""

import numpy as np

from .head_parts import PartSurface
from .received_head import Eye
from .vectors import unit

SIZE = 512
# sRGB, 0..1.
WHITE, REDDISH, LIMBUS, DARK = (0.86, 0.83, 0.81), (0.76, 0.56, 0.53), (0.55, 0.55, 0.57), (0.02, 0.015, 0.012)
# Shares of the iris's radius: the pupil, the ring around it, the edge where the iris darkens.
PUPIL, COLLARETTE, EDGE = 0.30, 0.47, 0.80
# Shares of the iris's radius between which the transparent cornea becomes the white of the eye.
CLEAR, OPAQUE = 0.93, 1.12
# The fibers of the iris: how many waves, and their lowest and highest frequency around the pupil.
_WAVES, _LOWEST, _HIGHEST = 28, 9, 150


def draw(surface: PartSurface, eye: Eye, iris_color: tuple[float, float, float], kind: str) -> np.ndarray:
    """(SIZE, SIZE, 4) uint8 sRGB and alpha, row 0 at v = 1.

    kind  "eye": all of it; "cornea": the white, transparent before the iris; "iris": the iris alone, dark behind it
    """
    texels, offset = surface.at_texels(surface.points - np.array(eye.center), SIZE)
    gaze = np.array(eye.gaze)
    depth = offset @ gaze
    across = offset - depth[:, None] * gaze
    ratio = np.linalg.norm(across, axis=1) / eye.iris_radius
    front = depth > 0
    iris = front & (ratio < 1.3)
    color = np.tile(np.array(DARK), (len(texels), 1))
    alpha = np.ones(len(texels))
    if kind != "iris":
        color = _white(offset / eye.radius, ratio, front)
    if kind == "cornea":
        alpha[iris] = _ramp(ratio[iris], CLEAR, OPAQUE)
    else:
        painted = _iris(across[iris], gaze, ratio[iris], np.array(iris_color))
        share = _ramp(ratio[iris], 1.06, 0.98)[:, None]
        color[iris] += share * (painted - color[iris])
    return _picture(texels, color, alpha)


def _white(place: np.ndarray, ratio: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Colors (K, 3) of the white of the eye at places (K, 3), in radii of the ball."""
    blotches = sum(np.sin(place @ np.array(wave) + phase) for wave, phase in (
        ((9.0, 4.0, 7.0), 0.3), ((-5.0, 11.0, 8.0), 1.9), ((13.0, -6.0, -9.0), 4.1)
    ))  # fmt: skip
    away = np.where(front, _ramp(ratio, 1.2, 2.2), 1.0)
    red = np.clip(away * (0.22 + 0.05 * blotches), 0, 1)[:, None]
    color = np.array(WHITE) + red * (np.array(REDDISH) - WHITE)
    rim = np.where(front, _ramp(ratio, 1.30, 1.02), 0.0)[:, None]
    return color + rim * (np.array(LIMBUS) - color)


def _iris(across: np.ndarray, gaze: np.ndarray, ratio: np.ndarray, color: np.ndarray) -> np.ndarray:
    """Colors (K, 3) of the iris at offsets (K, 3) from its axis, `ratio` (K,) of its radius."""
    side = unit(np.cross(gaze, (0.0, 0.0, 1.0)) if abs(gaze[2]) < 0.9 else np.array((1.0, 0.0, 0.0)))
    up = np.cross(side, gaze)
    angle = np.arctan2(across @ up, across @ side)
    fibers = _fibers(angle, ratio)
    light = 1 + 0.42 * fibers + 0.30 * np.exp(-(((ratio - COLLARETTE) / 0.07) ** 2))
    # The eye's own lens throws light from above onto the lower half.
    light *= 1 - 0.16 * np.sin(angle)
    light *= 1 - 0.75 * _ramp(ratio, EDGE, 1.0)
    painted = np.clip(color * light[:, None], 0, 1)
    # Toward the pupil an iris is warmer.
    warm = (0.35 * _ramp(ratio, COLLARETTE + 0.1, PUPIL))[:, None]
    painted += warm * (painted * np.array((1.10, 0.86, 0.62)) - painted)
    hole = _ramp(ratio, PUPIL + 0.02, PUPIL - 0.02)[:, None]
    return painted + hole * (np.array(DARK) - painted)


def _fibers(angle: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """-1..1 about: the fibers of an iris at angles (K,) and shares (K,) of its radius; the same for every eye."""
    random = np.random.default_rng(7)
    around, rings = np.linspace(-np.pi, np.pi, 1025), np.linspace(0, 1.3, 33)
    table = np.zeros((len(rings), len(around)))
    for frequency in random.integers(_LOWEST, _HIGHEST, _WAVES):
        bend, phase = random.normal(0, 1.2), random.uniform(0, 2 * np.pi)
        table += np.cos(frequency * around[None] + phase + bend * 3 * rings[:, None]) / np.sqrt(_WAVES)
    column = (angle + np.pi) / (2 * np.pi) * (len(around) - 1)
    row = ratio / 1.3 * (len(rings) - 1)
    c, r = (np.minimum(at.astype(int), most - 2) for at, most in ((column, len(around)), (row, len(rings))))
    a, b = row - r, column - c
    upper = table[r, c] * (1 - b) + table[r, c + 1] * b
    lower = table[r + 1, c] * (1 - b) + table[r + 1, c + 1] * b
    return upper * (1 - a) + lower * a


def _picture(texels: np.ndarray, color: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A picture of texels; what no triangle covers gets their mean, so that no seam shows."""
    rgba = np.concatenate([color, alpha[:, None]], axis=1)
    picture = np.tile(np.append(color.mean(0) if len(color) else DARK, 1.0), (SIZE * SIZE, 1))
    picture[texels] = rgba
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8).reshape(SIZE, SIZE, 4)


def _ramp(values: np.ndarray, none: float, full: float) -> np.ndarray:
    """0 at `none`, 1 at `full` and beyond, smooth between (either may be the larger)."""
    t = np.clip((values - none) / (full - none), 0, 1)
    return t * t * (3 - 2 * t)
