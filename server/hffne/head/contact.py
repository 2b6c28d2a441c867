# SPDX-License-Identifier: GPL-3.0-or-later
"""Surfaces that touch: smooth corrections of a surface from the displacements wanted at some of its vertices."""

from dataclasses import dataclass

import numpy as np

# Influence of the anchors that counts as none: it makes the correction fade instead of ending in a step.
_LEAST = 0.35
# Meters: what is left of a crossing that is not worth another round.
_CLOSE_ENOUGH = 5e-5


@dataclass(frozen=True)
class Contact:
    """Two surfaces of a head that meet in pairs of vertices.

    first, second (n,) the vertices of the pairs; offset (n, 3) meters from the second to the first where they touch;
    direction (n, 3) unit: smoothly along the contact, from the second surface to the first;
    to_first (a, n), to_second (b, n): how the vertices around_first (a,) and around_second (b,) follow the pairs.
    """

    first: np.ndarray
    second: np.ndarray
    offset: np.ndarray
    direction: np.ndarray
    around_first: np.ndarray
    around_second: np.ndarray
    to_first: np.ndarray
    to_second: np.ndarray

    @property
    def distance(self) -> np.ndarray:
        """(n, 1) meters from the second to the first along the direction where they touch."""
        return _along(self.offset, self.direction)

    def close(self, points: np.ndarray, rounds: int = 3) -> None:
        """Move the surfaces of a head (V, 3), in place, so that they touch."""
        for _ in range(rounds):
            self._move(points, self.offset - (points[self.first] - points[self.second]))

    def uncross(self, points: np.ndarray, rounds: int = 16) -> None:
        """Move the surfaces of a head (V, 3), in place, where they have passed through each other: there they touch."""
        distance, met = self.distance, None
        for _ in range(rounds):
            short = distance - _along(points[self.first] - points[self.second], self.direction)
            # What the smooth movement of deep places parts too far, comes back.
            met = short > 0 if met is None else met | (short > 0)
            wanted = np.where(met, short, 0)
            if np.abs(wanted).max(initial=0) < _CLOSE_ENOUGH:
                return
            self._move(points, wanted * self.direction)

    def _move(self, points: np.ndarray, change: np.ndarray) -> None:
        if np.abs(change).max(initial=0) > 1e-6:
            points[self.around_first] += self.to_first @ (change / 2)
            points[self.around_second] -= self.to_second @ (change / 2)


def _along(vectors: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """How far (n, 1) vectors (n, 3) go along directions (n, 3)."""
    return np.einsum("ij,ij->i", vectors, directions)[:, None]


def find_contact(
    points: np.ndarray,
    one: np.ndarray,
    other: np.ndarray,
    touch: float,
    reach: float,
    sides: tuple[np.ndarray, np.ndarray] | None = None,
) -> Contact:
    """The Contact of two sets of vertices (n,), (m,) of a head (V, 3) whose nearest ones are closer than `touch`.

    reach: see `spread_weights`; all in meters. sides: the vertices that move with them, default the sets themselves.
    """
    squared = _squared_distances(points[one], points[other])
    partner, nearest = squared.argmin(1), squared.min(1)
    meeting = nearest < touch * touch
    first, second = one[meeting], other[partner[meeting]]
    offset = points[first] - points[second]
    # Of a pair that lies on one another the offset says nothing.
    direction = np.exp(-_squared_distances(points[first], points[first]) / (2 * touch * touch)) @ offset
    around = [
        side[near(points[side], points[pair], 3 * reach)]
        for side, pair in zip(sides or (one, other), (first, second), strict=True)
    ]
    return Contact(
        first,
        second,
        offset,
        (direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)).astype(np.float32),
        around[0],
        around[1],
        spread_weights(points[around[0]], points[first], reach),
        spread_weights(points[around[1]], points[second], reach),
    )


def spread_weights(points: np.ndarray, anchors: np.ndarray, reach: float) -> np.ndarray:
    """The matrix (N, A) from displacements of anchors (A, 3) to smooth displacements of points (N, 3).

    A mean with Gaussian weights of sigma `reach` (meters), which fades to 0 beside the anchors.
    """
    weight = np.exp(-_squared_distances(points, anchors) / (2 * reach * reach))
    nearest = weight.max(1, keepdims=True)
    # Beside the anchors the mean stays that of the nearest ones, and its share falls with their distance.
    share = nearest / (nearest + _LEAST) * (1 + _LEAST)
    return (weight * share / np.maximum(weight.sum(1, keepdims=True), 1e-12)).astype(np.float32)


def near(points: np.ndarray, anchors: np.ndarray, distance: float) -> np.ndarray:
    """Which of points (N, 3) lie within `distance` of any of anchors (A, 3): (N,) bool."""
    return np.asarray(_squared_distances(points, anchors).min(1) <= distance * distance)


def _squared_distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    a, b = points.astype(np.float64), others.astype(np.float64)
    return np.maximum(np.square(a).sum(1)[:, None] - 2 * a @ b.T + np.square(b).sum(1), 0)
