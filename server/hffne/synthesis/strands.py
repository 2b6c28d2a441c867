# SPDX-License-Identifier: GPL-3.0-or-later
"""Loose strands of hair drawn over a face, with the part of every pixel: they hang from the hair that a picture shows,
in its colors."""

import cv2
import numpy as np

from hffne.parts import BROWS, EYES, HAIR, LIPS, MOUTH, SKIN, UNKNOWN

_FINE = 2  # strands are drawn on so many times as many pixels
_POINTS = 14  # of a strand's line
# Strands hang from hair that is as near to the face, in sides of it; from fewer pixels of hair none do.
_REACH, _FEWEST = 0.2, 40
# How far a pixel must be covered to be hair, and from where on it is not known.
_HAIR, _MIXED = 0.4, 0.12


def with_strands(rng: np.random.Generator, rgb: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture (S, S, 3) 0..1 and its parts (S, S) with one to eight locks over the face; the same where no hair
    borders on it."""
    face = np.isin(part, (SKIN, BROWS, EYES, LIPS, MOUTH)).astype(np.uint8)
    hair = part == HAIR
    extent = float(np.sqrt(face.sum()))
    reach = 2 * round(_REACH * extent) + 1
    rim = np.argwhere(hair & (cv2.dilate(face, np.ones((reach, reach), np.uint8)) > 0))
    if len(rim) < _FEWEST:
        return rgb, part
    middle = np.argwhere(face > 0).mean(0)
    size = len(rgb)
    layer = np.zeros((size * _FINE, size * _FINE), np.uint8)
    light = np.full_like(layer, 128)
    color = np.zeros_like(rgb)
    for _ in range(rng.integers(1, 9)):
        root = rim[rng.integers(len(rim))]
        y, x = np.maximum(root - 6, 0)
        near = hair[y : y + 13, x : x + 13]
        own = rgb[y : y + 13, x : x + 13][near]
        tone = own.mean(0) if rng.random() < 0.8 else rng.uniform(0.02, 0.8) * np.array([1, 0.85, 0.7])
        lock = np.zeros_like(layer)
        _draw_lock(rng, lock, light, root[::-1].astype(np.float64), middle[::-1], extent)
        inked = cv2.resize(lock, (size, size), interpolation=cv2.INTER_AREA) > 0
        color[cv2.dilate(inked.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = tone * np.exp(rng.normal(0, 0.2))
        layer = np.maximum(layer, lock)
    share = cv2.resize(layer, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    shine = cv2.resize(light, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 128
    share, part = share * ~hair, part.copy()
    shift = np.array([[1, 0, rng.normal(0, 2)], [0, 1, rng.uniform(0, 4)]], np.float32)
    shadow = cv2.warpAffine(cv2.GaussianBlur(share, (0, 0), rng.uniform(0.8, 4)), shift, (size, size))
    result = rgb * (1 - rng.uniform(0, 0.5) * shadow[..., None])
    result = result + (np.clip(color * shine[..., None], 0, 1) - result) * share[..., None]
    part[(share > _MIXED) & (part != HAIR)] = UNKNOWN
    part[share > _HAIR] = HAIR
    return result.astype(np.float32), part


def _draw_lock(
    rng: np.random.Generator,
    layer: np.ndarray,
    light: np.ndarray,
    root: np.ndarray,
    middle: np.ndarray,
    extent: float,
) -> None:
    """Draw a lock's strands from `root` (2,) to `layer` (255: hair), how bright they are to `light` (128: as the hair).

    middle (2,): of the face, whose side is `extent` pixels.
    """
    inward = middle - root
    way = np.arctan2(*(inward / max(np.linalg.norm(inward), 1) * rng.uniform(0.2, 1) + [0, rng.uniform(0, 1)])[::-1])
    way += rng.normal(0, 0.4)
    length = extent * np.exp(rng.uniform(np.log(0.08), np.log(0.8)))
    curl, wave, phase = rng.normal(0, 1.0), rng.uniform(0, 0.4), rng.uniform(0, 6)
    spread, fan = np.exp(rng.uniform(np.log(0.5), np.log(14))), rng.uniform(0, 0.2)
    thickest = np.exp(rng.uniform(np.log(1), np.log(5)))
    t = np.linspace(0, 1, _POINTS)
    back = root - 4 * np.array([np.cos(way), np.sin(way)])  # rooted in the hair
    for _ in range(int(np.exp(rng.uniform(0, np.log(30))))):
        angle = way + rng.normal(0, fan) + (curl + rng.normal(0, 0.15)) * t + wave * np.sin(phase + 7 * t)
        step = length * rng.uniform(0.5, 1.1) / _POINTS
        start = back + rng.normal(0, spread) * np.array([-np.sin(way), np.cos(way)])
        line = start + np.cumsum(np.stack([np.cos(angle), np.sin(angle)], 1) * step, 0)
        points = np.round(line * _FINE * 16).astype(np.int32)
        bright = 128 * np.exp(rng.normal(0, 0.25) + rng.uniform(0, 0.5) * np.sin(phase + 5 * t))
        for k in range(_POINTS - 1):
            width = max(round(thickest * (1 - 0.8 * t[k]) * rng.uniform(0.7, 1.2)), 1)
            ends = tuple(map(int, points[k])), tuple(map(int, points[k + 1]))
            cv2.line(layer, *ends, (255,), width, cv2.LINE_AA, 4)
            cv2.line(light, *ends, (int(np.clip(bright[k], 0, 255)),), width + 2, cv2.LINE_8, 4)
