# SPDX-License-Identifier: GPL-3.0-or-later
"""The mesh of MediaPipe's 478 face landmarks, and its normals: coarse ground truth for a photo."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from hffne.geometry.uv import clear_facial_features
from hffne.geometry.vectors import normalize
from hffne.synthesis.fit import MEDIAPIPE_68
from hffne.synthesis.rays import RayScene
from hffne.synthesis.render import vertex_normals

Triangle: TypeAlias = tuple[int, int, int]


@lru_cache(maxsize=1)
def triangles() -> np.ndarray:
    """(852, 3) vertex indices of MediaPipe's mesh with one orientation; the eyes and the mouth's opening are holes."""
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    return triangulate(FACEMESH_TESSELATION)


def triangulate(edges: Iterable[tuple[int, int]]) -> np.ndarray:
    """The faces (T, 3) of a connected planar triangle mesh, from its edges (pairs of vertices), with one orientation.

    Three connected vertices span a face, unless each of their edges already has faces on both sides.
    """
    neighbors: dict[int, set[int]] = {}
    for a, b in edges:
        neighbors.setdefault(a, set()).add(b)
        neighbors.setdefault(b, set()).add(a)
    cliques = {_sorted(a, b, c) for a, b in edges for c in neighbors[a] & neighbors[b]}
    owners: dict[tuple[int, int], list[Triangle]] = {}
    for clique in cliques:
        for edge in _edges(clique):
            owners.setdefault(edge, []).append(clique)
    crowded = {c for c in cliques if all(len(owners[e]) > 2 for e in _edges(c))}
    start = min(cliques - crowded)
    wound, waiting = {start: start}, [start]
    while waiting:
        clique = waiting.pop()
        a, b, c = wound[clique]
        for first, second in ((a, b), (b, c), (c, a)):
            for other in owners[min(first, second), max(first, second)]:
                if other not in wound and other not in crowded:
                    # Neighbors run along their common edge in opposite directions.
                    third = next(v for v in other if v not in (first, second))
                    wound[other] = (second, first, third)
                    waiting.append(other)
    return np.array(list(wound.values()))


def _sorted(a: int, b: int, c: int) -> Triangle:
    first, second, third = sorted((a, b, c))
    return first, second, third


def _edges(clique: Triangle) -> tuple[tuple[int, int], ...]:
    a, b, c = clique
    return (a, b), (b, c), (a, c)


def mesh_normals(points: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Normals (S, S, 3) float32 of the landmark mesh in camera space, zero where it is not visible; its area (S, S).

    points: (478, 3) on the picture of `size` pixels, x right, y down, z toward the viewer.
    """
    corners = triangles()
    seen = (np.asarray(points, np.float32) * np.array([1, -1, 1], np.float32))[: corners.max() + 1]
    normals = vertex_normals(seen, corners)
    if ((seen - seen.mean(0)) * normals).sum() < 0:
        normals = -normals
    column, row = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    index, weights = RayScene(seen, corners).seen_from_front(column, -row, seen[:, 2].max() + size)
    hit = np.flatnonzero(index >= 0)
    hit_normals = normalize((normals[corners[index[hit]]] * weights[hit][..., None].astype(np.float32)).sum(1))
    outer = hit_normals[:, 2] > 0
    normal = np.zeros((size * size, 3), np.float32)
    normal[hit[outer]] = hit_normals[outer]
    normal = normal.reshape(size, size, 3)
    return normal, normal.any(2)


def plain_skin(points: np.ndarray, area: np.ndarray) -> np.ndarray:
    """The part of the mesh's area (S, S) without brows, eyes, nostrils and lips, whose edges are color, not relief.

    points: (478, 3) on the picture; area: (S, S) bool.
    """
    skin = area.astype(np.uint8)
    marks = np.asarray(points, np.float32)[MEDIAPIPE_68, :2]
    clear_facial_features(skin, marks, max(3, len(area) // 20))
    return skin > 0
