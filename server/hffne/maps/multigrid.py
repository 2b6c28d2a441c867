# SPDX-License-Identifier: GPL-3.0-or-later
"""Solve a screened Poisson problem on a grid whose coefficients differ by orders of magnitude.

Conjugate gradients, preconditioned by one multigrid V-cycle (Briggs, Henson and McCormick 2000): each level has half
the side of the one before, its edges the mean weight of the edges that it stands for.
"""

import cv2
import numpy as np

# The residual against the right side's that ends the iteration, and the most steps.
TOLERANCE, MAX_STEPS = 3e-4, 40
# The grid is continued to a multiple of this, so that it can be halved, and halved down to about this.
_HALVES = 32
# Of Jacobi's method; sweeps on the smallest level.
_DAMPING, _LAST_SWEEPS = 0.8, 20


class _Level:
    """The operator h -> -div(weight grad h) + screen h. weight_x (S, S-1), weight_y (S-1, S), screen (S, S) float32."""

    def __init__(self, weight_x: np.ndarray, weight_y: np.ndarray, screen: np.ndarray) -> None:
        self.weight_x, self.weight_y, self.screen = weight_x, weight_y, screen
        diagonal = screen.copy()
        for part in (diagonal[:, 1:], diagonal[:, :-1]):
            part += weight_x
        for part in (diagonal[1:], diagonal[:-1]):
            part += weight_y
        self.jacobi = _DAMPING / diagonal

    def apply(self, h: np.ndarray) -> np.ndarray:
        result: np.ndarray = self.screen * h
        step = h[:, 1:] - h[:, :-1]
        step *= self.weight_x
        result[:, 1:] += step
        result[:, :-1] -= step
        step = h[1:] - h[:-1]
        step *= self.weight_y
        result[1:] += step
        result[:-1] -= step
        return result

    def half(self) -> "_Level":
        along, across = self.weight_x[:, 1::2], self.weight_y[1::2]
        return _Level((along[::2] + along[1::2]) / 2, (across[:, ::2] + across[:, 1::2]) / 2, _halved(self.screen))


def solve(weight_x: np.ndarray, weight_y: np.ndarray, screen: np.ndarray, right_side: np.ndarray) -> np.ndarray:
    """The h (S, S) float32 with -div(weight grad h) + screen h = right_side, free at the edges.

    weight_x (S, S-1), weight_y (S-1, S) >= 0: of the edges between neighbors; screen (S, S) > 0. All float32.
    """
    size = len(screen)
    more = -size % _HALVES
    if more:  # beyond the grid nothing is joined to it
        weight_x = np.pad(weight_x, ((0, more), (0, more)))
        weight_y = np.pad(weight_y, ((0, more), (0, more)))
        screen = np.pad(screen, (0, more), constant_values=float(np.median(screen)))
        right_side = np.pad(right_side, (0, more))
    levels = [_Level(weight_x, weight_y, screen)]
    while len(levels[-1].screen) % 2 == 0 and len(levels[-1].screen) > 8:
        levels.append(levels[-1].half())
    result = np.zeros_like(right_side)
    left = right_side.copy()
    small = TOLERANCE * float(np.linalg.norm(right_side))
    direction, before, last = None, 1.0, left
    for _ in range(MAX_STEPS):
        if float(np.linalg.norm(left)) <= small:
            break
        better = _cycle(levels, left)
        now = float(np.vdot(left, better))
        if direction is None:
            direction = better
        else:  # Polak and Ribiere's factor: the cycle is not quite symmetric
            direction *= (now - float(np.vdot(last, better))) / before
            direction += better
        changed = levels[0].apply(direction)
        share = float(np.vdot(left, direction)) / max(float(np.vdot(direction, changed)), 1e-30)
        last, before = left, now
        result += share * direction
        left = left - share * changed
    return result[:size, :size]


def _cycle(levels: list[_Level], right_side: np.ndarray) -> np.ndarray:
    """An approximation of the first level's solution."""
    level = levels[0]
    result: np.ndarray = right_side * level.jacobi
    if len(levels) == 1:
        for _ in range(_LAST_SWEEPS):
            result += (right_side - level.apply(result)) * level.jacobi
        return result
    coarse = _cycle(levels[1:], _halved(right_side - level.apply(result)))
    result += cv2.resize(coarse, result.shape[::-1], interpolation=cv2.INTER_LINEAR)
    result += (right_side - level.apply(result)) * level.jacobi
    return result


def _halved(values: np.ndarray) -> np.ndarray:
    """Sums of 2 x 2 values."""
    half: np.ndarray = cv2.resize(values, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    half *= 4
    return half
