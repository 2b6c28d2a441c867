# SPDX-License-Identifier: GPL-3.0-or-later
"""Lips and cheeks outside of the teeth: some of the model's expressions, and some faces, move them through the teeth.

The teeth's outer side is looked up on a cylinder around the dental arch: along the arch and by height.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from hffne.head.model import head_model

# Meters: how far outside of the teeth the skin stays, and the side of the cells in which their outer side is looked up.
CLEAR, CELL = 0.0002, 0.0012
# The arch: a half circle of this radius in front of this depth, straight behind it.
_ARCH, _BEGIN = 0.028, 0.055
# Around the mouth; and the most that the skin is moved.
_RADIUS, _MOST = 0.06, 0.012
# How far teeth are moved back behind the lips: beyond what is needed, and at most.
_SPARE, _MOST_BACK = 0.0005, 0.003


@dataclass(frozen=True)
class _Outside:
    """teeth (t,): vertices of the teeth; soft (n,): vertices of lips, cheeks and mouth that lie outside of them."""

    teeth: np.ndarray
    soft: np.ndarray


@cache
def _outside() -> _Outside:
    model = head_model()
    teeth = model.part_vertices["Teeth"]
    middle = model.at_landmarks(model.neutral)[[62, 66]].mean(0)
    soft = np.union1d(model.part_vertices["Skin"], model.part_vertices["Mouth"])
    soft = soft[np.linalg.norm(model.neutral[soft] - middle, axis=1) < _RADIUS]
    inside, _ = _depth(model.neutral, soft, teeth)
    return _Outside(teeth, soft[(inside < CLEAR) & (inside > -0.02)])


def clear_teeth(points: np.ndarray) -> None:
    """Move lips and cheeks of a head (V, 3) that lie in the teeth, or behind them, to the outside, in place."""
    parts = _outside()
    inside, direction = _depth(points, parts.soft, parts.teeth)
    points[parts.soft] += (np.clip(inside, 0, _MOST)[:, None] * direction).astype(np.float32)


def retract_teeth(points: np.ndarray) -> None:
    """Move teeth and gums of a head (V, 3) back, in place, until the lips lie in front of them.

    Pushed forward instead, thin lips would part at the teeth's edges.
    """
    parts = _outside()
    lips = parts.soft[points[parts.soft, 2] > _BEGIN]
    inside, _ = _depth(points, lips, parts.teeth)
    back = float(np.clip(np.quantile(inside[inside > -0.02], 0.99) + _SPARE, 0, _MOST_BACK)) if len(inside) else 0.0
    model = head_model()
    for name in ("Teeth", "Gums and Tongue"):
        points[model.part_vertices[name], 2] -= np.float32(back)


def _depth(points: np.ndarray, soft: np.ndarray, teeth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far (meters) inside of the teeth's outer side, and CLEAR, vertices lie, and directions to the outside.

    (n,), -1 where there are no teeth; (n, 3) unit."""
    at, radius, direction = _on_arch(points[soft])
    where, outer, _ = _on_arch(points[teeth])
    low = where.min(0)
    cell = np.floor((where - low) / CELL).astype(int) + 1
    shape = cell.max(0) + 2
    side: np.ndarray = np.full(shape, -1.0, np.float32)
    order = np.argsort(outer)
    # Of repeated cells the last assignment stays: the outermost.
    side[cell[order, 0], cell[order, 1]] = outer[order]
    side = cv2.dilate(side, np.ones((3, 3), np.uint8))
    own = np.floor((at - low) / CELL).astype(int) + 1
    found = ((own >= 0) & (own < shape)).all(1)
    inside = np.full(len(soft), -1.0)
    teeth_side = side[own[found, 0], own[found, 1]]
    inside[found] = np.where(teeth_side > 0, teeth_side + CLEAR - radius[found], -1)
    return inside, direction


def _on_arch(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along the arch and height (n, 2), distance from its middle (n,), and directions to the outside (n, 3)."""
    x, forward = points[:, 0], points[:, 2] - _BEGIN
    ahead = np.maximum(forward, 0)
    radius = np.hypot(x, ahead)
    angle = np.arctan2(x, ahead)
    along = angle * _ARCH + np.sign(x) * np.minimum(forward, 0) * -1
    direction = np.stack([x, np.zeros_like(x), ahead], 1) / np.maximum(radius, 1e-6)[:, None]
    return np.stack([along, points[:, 1]], 1), radius, direction
