# SPDX-License-Identifier: GPL-3.0-or-later
"""Lips and cheeks outside of the teeth: some of the model's expressions, and some faces, move them through the teeth.

The teeth's outer side is looked up on a cylinder around the dental arch: along the arch and by height.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from hffne.head.model import head_model
from hffne.head.mouth import mouth

# Meters: how far outside of the teeth the skin stays, and the side of the cells in which their outer side is looked up.
CLEAR, CELL = 0.0002, 0.0012
# The arch: a half circle of this radius in front of this depth, straight behind it.
_ARCH, _BEGIN = 0.028, 0.055
# Around the mouth; and the most that the skin is moved.
_RADIUS, _MOST = 0.06, 0.012
# Rounds over neighboring vertices: the deepest one's push is taken on, then it is smoothed; and rounds of both.
_GROW, _SMOOTH, _ROUNDS = 2, 3, 2
# Into how many steps a movement is divided to find where it meets the teeth; meters that a vertex may be deeper then;
# and rounds of smoothing how far vertices go.
_STEPS, _TOLERANCE, _SOFT_STOP = 8, 0.0001, 14
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
    inside = _side(model.neutral[teeth]).depth(model.neutral[soft])
    return _Outside(teeth, soft[(inside < CLEAR) & (inside > -0.02)])


def clear_teeth(points: np.ndarray) -> None:
    """Move lips and cheeks of a head (V, 3) that lie in the teeth, or behind them, smoothly outside, in place."""
    parts, around = _outside(), mouth()
    side = _side(points[parts.teeth])
    for _ in range(_ROUNDS):
        inside = side.depth(points[parts.soft])
        if inside.max() <= _TOLERANCE:
            return
        push = np.zeros(len(around.vertices), np.float32)
        push[around.place[parts.soft]] = np.clip(inside, 0, _MOST)
        push = around.graph.grown(push, _GROW, _SMOOTH)
        pushed = np.flatnonzero(push)
        index = around.vertices[pushed]
        points[index] += (push[pushed, None] * on_arch(points[index])[2]).astype(np.float32)


def hold_back(points: np.ndarray, moved: np.ndarray) -> None:
    """Shorten the movement of lips and cheeks from a head (V, 3) to `moved` (V, 3), in place, where it meets the teeth.

    For movements that do not move the teeth. A vertex stops outside of the teeth, and what is around it gradually.
    """
    parts, around = _outside(), mouth()
    start = points[parts.soft]
    change = moved[parts.soft] - start
    free: np.ndarray = np.ones(len(parts.soft), np.float32)
    side = _side(points[parts.teeth])
    allowed = np.maximum(side.depth(start), 0) + _TOLERANCE
    for step in range(_STEPS, 0, -1):
        inside = side.depth(start + change * np.float32(step / _STEPS))
        free[inside > allowed] = (step - 1) / _STEPS
    share: np.ndarray = np.ones(len(around.vertices), np.float32)
    share[around.place[parts.soft]] = free
    share = 1 - around.graph.grown(1 - share, 1, _SOFT_STOP)
    index = around.vertices
    moved[index] = points[index] + (moved[index] - points[index]) * share[:, None]


def retract_teeth(points: np.ndarray) -> None:
    """Move teeth and gums of a head (V, 3) back, in place, until the lips lie in front of them.

    Pushed forward instead, thin lips would part at the teeth's edges.
    """
    parts = _outside()
    lips = parts.soft[points[parts.soft, 2] > _BEGIN]
    inside = _side(points[parts.teeth]).depth(points[lips])
    back = float(np.clip(np.quantile(inside[inside > -0.02], 0.99) + _SPARE, 0, _MOST_BACK)) if len(inside) else 0.0
    model = head_model()
    for name in ("Teeth", "Gums and Tongue"):
        points[model.part_vertices[name], 2] -= np.float32(back)


@dataclass(frozen=True)
class _Side:
    """The outer side of the teeth: their distance from the arch's middle (rows, columns), -1 where there are none, by
    place along the arch and height from `low` (2,) on, meters."""

    low: np.ndarray
    outer: np.ndarray

    def depth(self, points: np.ndarray) -> np.ndarray:
        """How far inside of the outer side, and CLEAR, points (n, 3) lie: (n,) meters, -1 where there are no teeth."""
        at, radius, _ = on_arch(points)
        cell = np.floor((at - self.low) / CELL).astype(int) + 1
        found = ((cell >= 0) & (cell < self.outer.shape)).all(1)
        outer = np.where(found, self.outer[tuple(np.where(found[:, None], cell, 0).T)], -1)
        return np.where(outer > 0, outer + CLEAR - radius, -1)


def _side(teeth: np.ndarray) -> _Side:
    where, radius, _ = on_arch(teeth)
    low = where.min(0)
    cell = np.floor((where - low) / CELL).astype(int) + 1
    outer: np.ndarray = np.full(cell.max(0) + 2, -1.0, np.float32)
    order = np.argsort(radius)
    # Of repeated cells the last assignment stays: the outermost.
    outer[cell[order, 0], cell[order, 1]] = radius[order]
    return _Side(low, cv2.dilate(outer, np.ones((3, 3), np.uint8)))


def on_arch(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along the arch and height (n, 2), distance from its middle (n,), and directions to the outside (n, 3)."""
    x, forward = points[:, 0], points[:, 2] - _BEGIN
    ahead = np.maximum(forward, 0)
    radius = np.hypot(x, ahead)
    angle = np.arctan2(x, ahead)
    along = angle * _ARCH + np.sign(x) * np.minimum(forward, 0) * -1
    direction = np.stack([x, np.zeros_like(x), ahead], 1) / np.maximum(radius, 1e-6)[:, None]
    return np.stack([along, points[:, 1]], 1), radius, direction
