# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh of quads with UV seams: its edges, and whether it is sound."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np


def pair_keys(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One int64 for each unordered pair of indices below 2^31."""
    return np.minimum(a, b).astype(np.int64) << 32 | np.maximum(a, b)


def components(count: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The number (count,) of the connected part of each of `count` things; a, b (n,) are linked."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    return np.asarray(connected_components(coo_matrix((np.ones(len(a), bool), (a, b)), (count, count)), False)[1])


@dataclass(frozen=True)
class Limits:
    """What a sound face has.

    sine    least sine of a corner's angle, on the surface
    uv_sine the same on the UV square
    convex  least cosine of a corner's normal to its face's
    facing  least cosine of a corner's normal to the fine surface's at its vertex
    """

    sine: float = 0.17
    uv_sine: float = 0.03
    convex: float = 0.15
    facing: float = 0.1


@dataclass(frozen=True)
class Wedges:
    """The wedges of a mesh's vertices: a vertex on one side of a UV seam. vertex (W,) int; uv (W, 2)."""

    vertex: np.ndarray
    uv: np.ndarray

    @classmethod
    def of(cls, quads: np.ndarray, uvs: np.ndarray) -> "tuple[Wedges, np.ndarray]":
        """The wedges of quads (q, 4) with UVs (q, 4, 2) per corner, and each corner's wedge (q, 4), or -1."""
        there = quads >= 0
        known, first, corner = np.unique(
            np.column_stack([quads[there], uvs[there]]), axis=0, return_index=True, return_inverse=True
        )
        corners = np.full(quads.shape, -1)
        corners[there] = corner.reshape(-1)
        return cls(known[:, 0].astype(int), uvs[there][first]), corners


@dataclass(frozen=True)
class QuadMesh:
    """Some faces of a mesh, or of a coarser one of its vertices.

    corners  (q, 4) int wedges, counter-clockwise; the last is -1 in a triangle
    faces    (q,) int, the first mesh's face that each one was
    wedges   the first mesh's
    lines    (l,) int, `pair_keys` of the edges of lines that stay lines
    """

    corners: np.ndarray
    faces: np.ndarray
    wedges: Wedges
    lines: np.ndarray

    @cached_property
    def quads(self) -> np.ndarray:
        """(q, 4) int vertices of the faces; the last is -1 in a triangle."""
        return np.where(self.corners >= 0, self.wedges.vertex[self.corners], -1)

    @cached_property
    def used(self) -> np.ndarray:
        """The vertices (v,) of the faces."""
        return np.unique(self.quads[self.quads >= 0])

    @cached_property
    def of_triangles(self) -> bool:
        """Whether no face is a quad."""
        return bool((self.corners[:, 3] < 0).all())

    @cached_property
    def neighbors(self) -> tuple[np.ndarray, np.ndarray]:
        """The corners (q, 4) before and after each one in its face, 0 to 3."""
        triangle = self.corners[:, 3] < 0
        after = np.tile([1, 2, 3, 0], (len(triangle), 1))
        before = np.tile([3, 0, 1, 2], (len(triangle), 1))
        after[triangle] = 1, 2, 0, 3
        before[triangle] = 2, 0, 1, 3
        return before, after

    @cached_property
    def sides(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Wedges (h,) where each side of each face begins and ends, and the side (h,) opposite in a quad, or -1."""
        there = self.corners >= 0
        number = np.cumsum(there).reshape(there.shape) - 1
        end = np.take_along_axis(self.corners, self.neighbors[1], 1)
        opposite = np.where(there[:, 3:], number[:, [2, 3, 0, 1]], -1)
        return self.corners[there], end[there], opposite[there]

    @cached_property
    def half_edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (h,) where each of `sides` begins and ends."""
        start, end, _ = self.sides
        return self.wedges.vertex[start], self.wedges.vertex[end]

    @cached_property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """`pair_keys` (e,) of the edges, and the number (e,) of faces at each."""
        keys, count = np.unique(pair_keys(*self.half_edges), return_counts=True)
        return keys, count

    def border(self) -> np.ndarray:
        """`pair_keys` of the edges of one face."""
        keys, count = self.edges
        return keys[count == 1]

    def seams(self) -> np.ndarray:
        """`pair_keys` of the edges where UVs are not continuous."""
        start, end, _ = self.sides
        sides = np.unique(np.stack([pair_keys(*self.half_edges), pair_keys(start, end)], 1), axis=0)
        keys, count = np.unique(sides[:, 0], return_counts=True)
        return keys[count > 1]

    def share_face(self, vertex: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Whether (n,) a and b, both neighbors of a vertex, are so in one face."""
        count = len(self.wedges.vertex) + 1
        before, after = (np.take_along_axis(self.quads, one, 1) for one in self.neighbors)

        def key(v: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
            return (v.astype(np.int64) * count + np.minimum(p, q)) * count + np.maximum(p, q)

        there = self.quads >= 0
        return np.isin(key(vertex, a, b), key(self.quads[there], before[there], after[there]))

    def merged(self, target: np.ndarray) -> "QuadMesh | None":
        """The mesh with each wedge (W,) replaced by its target, without the faces that have no area then.

        None if a quad became a triangle.
        """
        corners = np.where(self.corners >= 0, target[self.corners], -1)
        v = np.where(corners >= 0, self.wedges.vertex[corners], -1)
        side = v == np.take_along_axis(v, self.neighbors[1], 1)
        triangle = v[:, 3] < 0
        gone = (side[:, 0] & side[:, 2]) | (side[:, 1] & side[:, 3]) | (v[:, 0] == v[:, 2]) | (v[:, 1] == v[:, 3])
        gone = np.where(triangle, side[:, :3].any(1), gone)
        if (side.any(1) & ~gone & ~triangle).any():
            return None
        vertex = np.arange(self.wedges.vertex.max() + 1)
        vertex[self.wedges.vertex] = self.wedges.vertex[target]
        a, b = vertex[self.lines >> 32], vertex[self.lines & 0xFFFFFFFF]
        lines = np.unique(pair_keys(a, b)[a != b])
        return replace(self, corners=corners[~gone], faces=self.faces[~gone], lines=lines)

    def triangulated(self, points: np.ndarray) -> "QuadMesh":
        """Each quad as two triangles, split at its shorter diagonal; points (V, 3)."""
        quad = self.quads[:, 3] >= 0
        p = points[self.quads]
        second = np.linalg.norm(p[:, 1] - p[:, 3], axis=1) < np.linalg.norm(p[:, 0] - p[:, 2], axis=1) * (1 - 1e-6)
        turned = np.where((second & quad)[:, None], np.roll(self.corners, -1, axis=1), self.corners)
        none = np.full((len(turned), 1), -1)
        both = np.stack([np.hstack([turned[:, :3], none]), np.hstack([turned[:, [0, 2, 3]], none])], 1)
        there = np.stack([np.ones(len(quad), bool), quad], 1)
        return replace(self, corners=both[there], faces=np.repeat(self.faces[:, None], 2, 1)[there])

    def part(self, chosen: np.ndarray) -> "QuadMesh":
        """The chosen faces alone, given by number or as bool (q,)."""
        return replace(self, corners=self.corners[chosen], faces=self.faces[chosen])

    def ranks(self, count: int) -> np.ndarray:
        """(count,) 0: a vertex on no line, 1: on a line, 2: where lines meet or end."""
        ends = np.concatenate([self.lines >> 32, self.lines & 0xFFFFFFFF])
        return np.array([0, 2, 1, 2])[np.minimum(np.bincount(ends, minlength=count), 3)]

    def topology(self) -> tuple[int, int, int, int]:
        """(Euler characteristic, border loops, edges that are not of a surface, faces that share two edges)."""
        keys, count = self.edges
        start, end = self.half_edges
        _, directed = np.unique(np.stack([start, end], 1), axis=0, return_counts=True)
        border = keys[count == 1]
        ends, index = np.unique(np.concatenate([border >> 32, border & 0xFFFFFFFF]), return_inverse=True)
        half = len(border)
        loops = components(len(ends), index[:half], index[half:]).max(initial=-1) + 1
        face = np.repeat(np.arange(len(self.corners)), (self.corners >= 0).sum(1))
        order = np.argsort(pair_keys(start, end), kind="stable")
        pair = np.isin(pair_keys(start, end)[order], keys[count == 2])
        twins = face[order][pair].reshape(-1, 2)
        shared = len(twins) - len(np.unique(pair_keys(twins[:, 0], twins[:, 1])))
        wild = int((directed > 1).sum() + (count > 2).sum() + (np.bincount(index) != 2).sum())
        return len(self.used) - len(keys) + len(self.corners), int(loops), wild, shared

    def valence(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(the number (count,) of edges at each vertex, whether (count,) it lies on the border)."""
        keys, _ = self.edges
        border = np.zeros(count, bool)
        border[self.border() >> 32] = True
        border[self.border() & 0xFFFFFFFF] = True
        ends = np.concatenate([keys >> 32, keys & 0xFFFFFFFF])
        return np.bincount(ends, minlength=count), border

    def unsound(self, poses: np.ndarray, normals: np.ndarray, sign: np.ndarray, limits: Limits) -> np.ndarray:
        """Whether (q,) a face breaks one of the limits.

        poses (P, V, 3), the first at rest; normals (V, 3) of the fine surface; sign (q,) of the UVs' area.
        """
        before, after = self.neighbors
        there = self.quads >= 0
        bad = np.zeros(self.quads.shape, bool)
        for number, points in enumerate(poses):
            p = points[self.quads]
            normal = np.cross(p[:, 2] - p[:, 0], np.where(there[:, 3:], p[:, 3], p[:, 0]) - p[:, 1])
            normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-20)
            a = np.take_along_axis(p, after[..., None], 1) - p
            b = np.take_along_axis(p, before[..., None], 1) - p
            turned = np.cross(a, b)
            area = np.linalg.norm(turned, axis=2)
            turned /= np.maximum(area, 1e-20)[..., None]
            bad |= (turned * normal[:, None]).sum(2) < limits.convex
            if number == 0:
                length = np.linalg.norm(a, axis=2) * np.linalg.norm(b, axis=2)
                bad |= area < limits.sine * length
                bad |= (turned * normals[self.quads]).sum(2) < limits.facing
        uv = self.wedges.uv[self.corners].astype(float)
        a = np.take_along_axis(uv, after[..., None], 1) - uv
        b = np.take_along_axis(uv, before[..., None], 1) - uv
        area = (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]) * sign[:, None]
        bad |= area < limits.uv_sine * np.linalg.norm(a, axis=2) * np.linalg.norm(b, axis=2)
        return np.asarray((bad & there).any(1))
