# SPDX-License-Identifier: GPL-3.0-or-later
"""Nearest points and rays on a triangle mesh, by Blender's bounding volume hierarchy."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from mathutils.bvhtree import BVHTree

# Position, normal, triangle and distance, or None for each.
_Answer = tuple[Any, Any, int | None, float | None]
_NOTHING: _Answer = (None, None, None, None)


@dataclass(frozen=True)
class Hits:
    """What was found for each of K queries.

    owner     (K,) int, the triangle; -1 where nothing was found
    point     (K, 3) on that triangle; the query's own point where nothing was found
    normal    (K, 3) of the triangle's plane; 0 where nothing was found
    distance  (K,); infinite where nothing was found
    """

    owner: np.ndarray
    point: np.ndarray
    normal: np.ndarray
    distance: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """(K,) bool."""
        return self.owner >= 0


class TriangleTree:
    """A search tree over triangles: points (V, 3), triangles (N, 3) int."""

    def __init__(self, points: np.ndarray, triangles: np.ndarray):
        # The stubs declare no result.
        self._tree: BVHTree = BVHTree.FromPolygons(  # type: ignore[assignment]
            points.tolist(), triangles.tolist(), all_triangles=True
        )

    def nearest(self, points: np.ndarray, reach: float | np.ndarray | None = None) -> Hits:
        """The nearest point of the surface to each point (K, 3), within the distance `reach`, one or (K,)."""
        find = self._tree.find_nearest
        if reach is None:
            return _collect(points, (find(point) for point in points.tolist()))
        limits = np.broadcast_to(reach, len(points)).tolist()
        return _collect(points, (find(point, limit) for point, limit in zip(points.tolist(), limits, strict=True)))

    def nearest_alike(self, points: np.ndarray, normals: np.ndarray, reach: float, least: float) -> Hits:
        """The nearest of what looks the way of unit normals (K, 3), with a cosine of at least `least`.

        Where two surfaces face each other, as lips do, the nearest one may be the wrong one.
        """
        find = self._tree.find_nearest_range

        def answers() -> Iterable[_Answer]:
            for point, normal in zip(points.tolist(), normals.tolist(), strict=True):
                alike = [found for found in find(point, reach) if found[1].dot(normal) >= least]
                yield min(alike, key=lambda found: found[3], default=_NOTHING)

        return _collect(points, answers())

    def cast(self, origins: np.ndarray, directions: np.ndarray, reach: float) -> Hits:
        """The first hit of each ray from origins (K, 3) along directions (K, 3), within the distance `reach`."""
        cast = self._tree.ray_cast
        rays = zip(origins.tolist(), directions.tolist(), strict=True)
        return _collect(origins, (cast(origin, direction, reach) for origin, direction in rays))


def _collect(points: np.ndarray, answers: Iterable[_Answer]) -> Hits:
    owner = np.full(len(points), -1)
    point, normal = np.array(points, float), np.zeros((len(points), 3))
    distance = np.full(len(points), np.inf)
    for index, (place, facing, triangle, far) in enumerate(answers):
        if triangle is not None:
            owner[index], point[index], normal[index], distance[index] = triangle, place, facing, far
    return Hits(owner, point, normal, distance)
