# SPDX-License-Identifier: GPL-3.0-or-later
"""The skin's vertices as a graph: smoothing, distances and extrapolation over the surface, across the charts' seams."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from hffne.head.model import PARTS, SKIN, head_model
from hffne.head.skin import skin

# Each coarser level has about a quarter of the vertices, the coarsest at most so many.
_COARSEST = 24


@dataclass(frozen=True)
class Level:
    """A graph. neighbors (n, k) int32, padded with the vertex itself; weights (n, k) float32, rows sum to 1, 0 where
    padded; lengths (n, k) float32 meters, infinite where padded; parent (n,) int32: the vertex of the next level."""

    neighbors: np.ndarray
    weights: np.ndarray
    lengths: np.ndarray
    parent: np.ndarray

    def smoothed(self, values: np.ndarray, rounds: int, fixed: np.ndarray | None = None) -> np.ndarray:
        """Values (n, C) after so many rounds of averaging with the neighbors.

        fixed (n,) 0..1: the share of its own value that a vertex keeps, against the other half.
        """
        start = values
        for _ in range(rounds):
            around = np.einsum("nkc,nk->nc", values[self.neighbors], self.weights)
            values = (values + around) * np.float32(0.5)
            if fixed is not None:
                values = values + (start - values) * fixed[:, None]
        return values

    def grown(self, values: np.ndarray, largest: int, rounds: int) -> np.ndarray:
        """Values (n,) after `largest` rounds of taking the largest one around, and `rounds` of averaging."""
        around, weights = self._columns
        for _ in range(largest):
            values = np.maximum(values, np.maximum.reduce(values[around]))
        for _ in range(rounds):
            values = (values + (values[around] * weights).sum(0)) * np.float32(0.5)
        return values

    @cached_property
    def _columns(self) -> tuple[np.ndarray, np.ndarray]:
        return np.ascontiguousarray(self.neighbors.T), np.ascontiguousarray(self.weights.T)

    def distances(self, sources: Sequence[int] | np.ndarray) -> np.ndarray:
        """(n,) float32 meters along the edges from the nearest of these vertices."""
        result = np.full(len(self.parent), np.inf, np.float32)
        result[np.asarray(sources)] = 0
        while True:
            shorter = np.minimum(result, (result[self.neighbors] + self.lengths).min(1))
            if (shorter == result).all():
                return result
            result = shorter


def surface_graph(quads: np.ndarray, points: np.ndarray) -> Level:
    """The Level of a surface's edges, without a coarser one: quads (q, 4), -1 last in triangles; points (n, 3)."""
    return _level(_unique_edges(_edges(quads)), points, np.zeros(len(points), np.int32))


@cache
def levels() -> tuple[Level, ...]:
    """The skin's graph and its coarser levels, the finest first."""
    layout, model = skin(), head_model()
    mesh = model.mesh
    quads = mesh.quads[mesh.quad_parts == PARTS.index(SKIN)]
    edges = _edges(np.where(quads < 0, -1, layout.inverse[quads]))
    points = model.neutral[layout.vertices]
    result = []
    while True:
        edges = _unique_edges(edges)
        last = len(points) <= _COARSEST
        parent = np.zeros(len(points), np.int32) if last else _clusters(edges, len(points))
        result.append(_level(edges, points, parent))
        if last:
            return tuple(result)
        count = np.bincount(parent)[:, None]
        points = np.stack([np.bincount(parent, points[:, k]) for k in range(3)], 1) / count
        edges = parent[edges]


def _edges(quads: np.ndarray) -> np.ndarray:
    quads = np.where(quads < 0, quads[:, :1], quads)
    return np.concatenate([quads[:, [k, (k + 1) % 4]] for k in range(4)])


def _unique_edges(edges: np.ndarray) -> np.ndarray:
    low, high = np.sort(edges, axis=1).T
    return np.unique(np.stack([low, high], 1)[low != high], axis=0)


def _level(edges: np.ndarray, points: np.ndarray, parent: np.ndarray) -> Level:
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    count = np.bincount(both[:, 0], minlength=len(points))
    place = np.arange(len(both)) - np.repeat(np.cumsum(count) - count, count)
    neighbors = np.repeat(np.arange(len(points), dtype=np.int32)[:, None], max(int(count.max()), 1), 1)
    lengths = np.full(neighbors.shape, np.inf, np.float32)
    neighbors[both[:, 0], place] = both[:, 1]
    lengths[both[:, 0], place] = np.linalg.norm(points[both[:, 0]] - points[both[:, 1]], axis=1)
    close = 1 / np.maximum(lengths, 1e-5)
    return Level(neighbors, (close / np.maximum(close.sum(1, keepdims=True), 1e-9)).astype(np.float32), lengths, parent)


def _clusters(edges: np.ndarray, count: int) -> np.ndarray:
    """(count,) int32: a maximal set of vertices without edges in between, and to which of them each vertex belongs."""
    around: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges.tolist():
        around[a].append(b)
        around[b].append(a)
    owner = [-1] * count
    seeds = 0
    for vertex in range(count):
        if owner[vertex] < 0:
            owner[vertex] = seeds
            for other in around[vertex]:
                if owner[other] < 0:
                    owner[other] = seeds
            seeds += 1
    return np.array(owner, np.int32)


def extrapolated(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Values (n, C) where `weight` (n,) in 0..1 is 1, smoothly continued over the surface to where it is 0.

    The membrane between the known values, about: each coarser level takes the mean of what is known below it, and each
    finer one refines what the coarser gives by averaging.
    """
    known = [(values.astype(np.float32), weight.astype(np.float32))]
    graph = levels()
    for level in graph[:-1]:
        value, sure = known[-1]
        size = int(level.parent.max()) + 1
        total = np.bincount(level.parent, sure, size)
        product = [np.bincount(level.parent, value[:, k] * sure, size) for k in range(value.shape[1])]
        known.append(
            (
                (np.stack(product, 1) / np.maximum(total, 1e-6)[:, None]).astype(np.float32),
                np.clip(total, 0, 1).astype(np.float32),
            )
        )
    value, sure = known[-1]
    mean = (value * sure[:, None]).sum(0) / max(float(sure.sum()), 1e-6)
    result = value * sure[:, None] + mean * (1 - sure[:, None])
    for number in range(len(graph) - 2, -1, -1):
        value, sure = known[number]
        level = graph[number]
        start = result[level.parent]
        result = start + (value - start) * sure[:, None]
        for _ in range(4):
            around = np.einsum("nkc,nk->nc", result[level.neighbors], level.weights)
            result = around + (value - around) * sure[:, None]
    return result


def distance_from(sources: Sequence[int] | np.ndarray) -> np.ndarray:
    """(n,) float32 meters along the neutral head's edges from the nearest of these vertices (indices)."""
    return levels()[0].distances(sources)
