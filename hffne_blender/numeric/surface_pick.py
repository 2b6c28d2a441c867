# SPDX-License-Identifier: GPL-3.0-or-later
"""The point of a surface that is seen at a place of an orthographic picture."""

from dataclasses import dataclass

import numpy as np


def pick(seen: np.ndarray, triangles: np.ndarray, at: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray] | None:
    """(vertices (3,), weights (3,)) of the point at a place, or None where the surface is farther than `reach`.

    seen       (V, 3) the vertices as seen: x to the right, y up, z toward the viewer
    triangles  (N, 3) counter-clockwise from outside
    at         (2,) the place
    reach      how far beside the outline the nearest point of it is taken, in the same unit
    """
    corners = seen[triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    front = area > 0
    offset = at - corners[:, 0, :2]
    with np.errstate(divide="ignore", invalid="ignore"):
        b = (offset[:, 0] * second[:, 1] - offset[:, 1] * second[:, 0]) / area
        c = (first[:, 0] * offset[:, 1] - first[:, 1] * offset[:, 0]) / area
    inside = np.flatnonzero(front & (b >= 0) & (c >= 0) & (b + c <= 1))
    if len(inside):
        weights = np.stack([1 - b[inside] - c[inside], b[inside], c[inside]], axis=1)
        nearest = int(np.argmax((corners[inside, :, 2] * weights).sum(1)))
        return triangles[inside[nearest]], weights[nearest]
    candidates = np.unique(triangles[front])
    if not len(candidates):
        return None
    distance = np.linalg.norm(seen[candidates, :2] - at, axis=1)
    best = int(np.argmin(distance))
    if distance[best] > reach:
        return None
    owner = triangles[np.flatnonzero((triangles == candidates[best]).any(1))[0]]
    return owner, (owner == candidates[best]).astype(float)


@dataclass(frozen=True)
class Edges:
    """The edges of a surface: vertices (E, 2), and the triangles (E, 2) beside each, -1 where there is none."""

    vertices: np.ndarray
    beside: np.ndarray

    @classmethod
    def of(cls, triangles: np.ndarray) -> "Edges":
        """The edges of triangles (N, 3); one with more than two triangles has the first and the last of them."""
        pairs = np.sort(np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)]).astype(np.int64), axis=1)
        owners = np.tile(np.arange(len(triangles)), 3)
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        pairs, owners = pairs[order], owners[order]
        first = np.flatnonzero(np.append(True, (pairs[1:] != pairs[:-1]).any(1)))
        last = np.append(first[1:], len(pairs)) - 1
        beside = np.stack([owners[first], np.where(last > first, owners[last], -1)], axis=1)
        return cls(pairs[first], beside)


def outline(seen: np.ndarray, triangles: np.ndarray, edges: Edges) -> np.ndarray:
    """The edges (E, 2) of vertices where the surface turns away from the viewer, and its borders that are in sight.

    seen, triangles: as for `pick`; edges: of the triangles
    """
    a, b, c = (seen[triangles[:, corner], :2] for corner in range(3))
    front = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] > 0
    # No triangle, number -1, is the last entry.
    front = np.append(front, False)[edges.beside]
    return edges.vertices[front[:, 0] != front[:, 1]]
