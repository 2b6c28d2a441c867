# SPDX-License-Identifier: GPL-3.0-or-later
"""Lashes that a photo shows on upper lids: painted onto the skin they become dark streaks when the lid closes, for an
open lid is folded. The head has lashes of its own."""

from functools import cache

import cv2
import numpy as np

from hffne.geometry.grids import smoothstep
from hffne.head.eyes import SIDES
from hffne.head.model import head_model
from hffne.head.skin import MAX_RASTER, raster, skin

# Meters that blinking moves a vertex, from and to: what unfolds.
_UNFOLDS = 0.002, 0.005
# Shares of the texture's side: dark streaks across the lid that are narrower vanish; how much the rest is smoothed.
_STREAK, _SOFT = 0.03, 0.004
# What unfolds from this share on belongs to the lid; less than that lies beside it, above the crease.
_LEAST, _BESIDE = 0.01, 0.3
# How dark, as a share of what lies beside, a lid's colors may be: darker are lashes and the shadow of the fold.
_DARKEST = 0.62


def remove_lashes(color: np.ndarray) -> None:
    """Take lashes off the upper lids of a head's colors (T, T, 3) uint8 sRGB, in place. Make-up stays.

    A morphological closing along the lid: in the UV square lids lie level, and lashes cross them.
    """
    size = len(color)
    streak = np.ones((1, 2 * int(_STREAK * size / 2) + 1), np.uint8)
    scale = size / MAX_RASTER
    for (top, bottom, left, right), share in _lids():
        rows, columns = slice(int(top * scale), int(bottom * scale)), slice(int(left * scale), int(right * scale))
        part = color[rows, columns].astype(np.float32)
        weight = cv2.resize(share, part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        beside = weight < _BESIDE
        closed = cv2.morphologyEx(part, cv2.MORPH_CLOSE, streak, borderType=cv2.BORDER_REPLICATE)
        closed = np.maximum(closed, _DARKEST * part[beside].mean(0))
        closed = cv2.GaussianBlur(closed, (0, 0), sigmaX=max(_SOFT * size, 0.3), sigmaY=max(_SOFT * size / 2, 0.3))
        color[rows, columns] = part + weight[..., None] * (closed - part) + 0.5


@cache
def _lids() -> tuple[tuple[tuple[int, int, int, int], np.ndarray], ...]:
    """Of each upper lid the rows and columns on a raster of MAX_RASTER, and how far its texels unfold, 0..1."""
    model, found = head_model(), []
    for side in SIDES:
        moved = np.linalg.norm(model.expressions.dense(f"eyeBlink{side}", len(model.neutral)), axis=1)
        unfolds = smoothstep(*_UNFOLDS, moved)[skin().vertices][skin().of_point] * (skin().chart == 0)
        share = raster(MAX_RASTER).interpolated(unfolds[:, None].astype(np.float32), np.zeros(1, np.float32))[..., 0]
        y, x = np.nonzero(share > _LEAST)
        box = int(y.min()), int(y.max()) + 1, int(x.min()), int(x.max()) + 1
        found.append((box, np.clip(share[box[0] : box[1], box[2] : box[3]], 0, 1)))
    return tuple(found)
