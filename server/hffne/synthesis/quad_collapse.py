# SPDX-License-Identifier: GPL-3.0-or-later
"""Coarsen a mesh of quads by taking out whole strips of them, so that quads remain (polychord collapse).

Daniels, Silva, Shepherd and Cohen 2008, "Quadrilateral Mesh Simplification". A strip runs through the opposite edges of
its quads; it ends at a border or a triangle, or closes. Taking it out merges the two ends of each edge that it crosses.
Here the merged vertex is always one of the two, so that the coarse mesh's vertices are vertices of the fine one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from hffne.synthesis.quad_mesh import Limits, QuadMesh, Wedges, components, pair_keys

# The norm that joins the costs along a strip: high, so that a long strip stays if it is needed somewhere.
_NORM = 4
# A vertex has at most so many edges, of quads and of triangles, unless the fine mesh has more there.
_VALENCE = 6, 9
_NEVER = 1e6
# How much the length of the edges around an edge made takes from its cost, so that removed and kept strips alternate.
_EVEN = 1.0
# A mesh may come out so much smaller than required (share, vertices).
_BELOW = 0.03, 6


@dataclass(frozen=True)
class Guide:
    """What steers the collapse; V counts the fine mesh's vertices, Q its faces.

    poses      (P, V, 3) positions, the first at rest; a change counts by the most it does in any of them
    size       (V,) the length of edges that costs as much as a distance of `tolerance`
    tolerance  (V,) distance from the fine surface
    normals    (V, 3) unit normals of the fine surface at rest
    mirror     (V,) int, the vertex of the mirror image: strips are taken out with their mirror images
    sign       (Q,) 1 or -1, the sign of the UVs' area
    limits     of the faces that a change makes
    """

    poses: np.ndarray
    size: np.ndarray
    tolerance: np.ndarray
    normals: np.ndarray
    mirror: np.ndarray
    sign: np.ndarray
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Merge:
    """Vertices (n,) to keep, each for one to remove, and the wedges (2, m) that become one."""

    kept: np.ndarray
    removed: np.ndarray
    wedges: np.ndarray


def collapse(mesh: QuadMesh, guide: Guide, count: int) -> QuadMesh:
    """Take out the strips that cost least until `count` vertices are left, or none can be taken out soundly.

    In a mesh of triangles each edge is a strip of its own.
    """
    local, its_guide, vertices, wedges = _local(mesh, guide)
    small = _reduce(local, its_guide, count)
    ends = vertices[small.lines >> 32], vertices[small.lines & 0xFFFFFFFF]
    corners = np.where(small.corners >= 0, wedges[small.corners], -1)
    return QuadMesh(corners, mesh.faces[small.faces], mesh.wedges, pair_keys(*ends))


def _local(mesh: QuadMesh, guide: Guide) -> tuple[QuadMesh, Guide, np.ndarray, np.ndarray]:
    """The mesh and its guide with the vertices (v,), wedges (w,) and faces that it has alone, and these."""
    vertices = mesh.used
    wedges, corners = np.unique(mesh.corners, return_inverse=True)
    there = wedges >= 0
    wedges, corners = wedges[there], corners.reshape(mesh.corners.shape) - int(not there.all())
    number = np.full(len(guide.mirror), -1)
    number[vertices] = np.arange(len(vertices))
    ends = number[mesh.lines >> 32], number[mesh.lines & 0xFFFFFFFF]
    inside = (ends[0] >= 0) & (ends[1] >= 0)
    local = QuadMesh(
        corners,
        np.arange(len(corners)),
        Wedges(number[mesh.wedges.vertex[wedges]], mesh.wedges.uv[wedges]),
        np.unique(pair_keys(*ends)[inside]),
    )
    its = replace(
        guide,
        poses=guide.poses[:, vertices],
        size=guide.size[vertices],
        tolerance=guide.tolerance[vertices],
        normals=guide.normals[vertices],
        mirror=number[guide.mirror[vertices]],
        sign=guide.sign[mesh.faces],
    )
    return local, its, vertices, wedges


def _reduce(mesh: QuadMesh, guide: Guide, count: int) -> QuadMesh:
    """As `collapse`, of a mesh whose arrays have no more than it needs."""
    least = count - max(_BELOW[0] * count, _BELOW[1])
    refused: set[bytes] = set()
    retry = False
    while len(mesh.used) > count:
        for merge in _strips(mesh, guide):
            key = (merge.kept << 32 | merge.removed).tobytes()
            if key in refused:
                continue
            smaller = _without(mesh, guide, merge)
            if smaller is not None and len(smaller.used) >= least:
                mesh, retry = smaller, True
                break
            refused.add(key)
        else:
            # What was not sound may be so now.
            if not retry:
                break
            refused, retry = set(), False
    return mesh


def _strips(mesh: QuadMesh, guide: Guide) -> Iterator[Merge]:
    """The ends of the edges that each strip and its mirror image cross, cheapest first."""
    count = len(guide.mirror)
    start, end = (one.astype(np.int64) for one in mesh.half_edges)
    keys = np.unique(np.concatenate([start * count + end, end * count + start]))
    kept, removed = keys // count, keys % count

    def index(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.searchsorted(keys, a * count + b)

    # Each strip is there twice: once for each of its sides to be kept.
    opposite = mesh.sides[2]
    has = opposite >= 0
    one = index(start[has], end[has]), index(end[has], start[has])
    other = index(end[opposite[has]], start[opposite[has]]), index(start[opposite[has]], end[opposite[has]])
    label = components(len(keys), np.concatenate(one), np.concatenate(other))
    mirrored = index(guide.mirror[kept], guide.mirror[removed])
    cost = _costs(mesh, guide, kept, removed)
    rank, line = mesh.ranks(count), np.isin(pair_keys(kept, removed), mesh.lines)
    swap = rank[removed] > rank[kept]
    cost = np.where(swap, cost[index(removed, kept)], cost)
    stuck = (rank[kept] > 0) & (rank[removed] > 0) & (~line | ((rank[kept] > 1) & (rank[removed] > 1)))
    cost[stuck | (guide.mirror[kept] == removed)] = _NEVER
    total = (np.bincount(label, cost**_NORM) / np.bincount(label)) ** (1 / _NORM)
    barred = np.bincount(label, cost >= _NEVER) > 0
    # Equal costs, up to rounding, in the order of the first edge.
    total = np.round(total, 6)
    order = np.argsort(label, kind="stable")
    first = np.searchsorted(label[order], np.arange(len(total) + 1))
    done = barred.copy()
    for strip in np.lexsort((order[first[:-1]], total)):
        if done[strip]:
            continue
        edges = order[first[strip] : first[strip + 1]]
        done[label[mirrored[edges]]] = True
        edges = np.unique(np.concatenate([edges, mirrored[edges]]))
        a, b, flip = kept[edges], removed[edges], swap[edges]
        crossed = np.isin(pair_keys(start, end), pair_keys(a, b))
        yield Merge(np.where(flip, b, a), np.where(flip, a, b), np.stack(mesh.sides[:2])[:, crossed])


def _costs(mesh: QuadMesh, guide: Guide, kept: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """The cost (E,) of removing one of two vertices: the length of the edges made, and its distance from them."""
    keys, _ = mesh.edges
    ends = np.concatenate([keys >> 32, keys & 0xFFFFFFFF])
    valence = np.bincount(ends, minlength=len(guide.mirror))
    edge, entry = _listed(ends, removed, len(guide.mirror))
    neighbor = np.roll(ends, len(keys))[entry]
    # The edges that go on beyond the removed vertex, not along the strip.
    along = mesh.share_face(removed[edge], kept[edge], neighbor) | np.isin(pair_keys(kept[edge], neighbor), keys)
    beyond = (neighbor != kept[edge]) & ~along
    edge, c = edge[beyond], neighbor[beyond]
    a, b = kept[edge], removed[edge]
    lengths = np.linalg.norm(guide.poses[0][keys >> 32] - guide.poses[0][keys & 0xFFFFFFFF], axis=1)
    around = np.bincount(ends, np.tile(lengths, 2), minlength=len(valence)) / np.maximum(valence, 1)
    distance, length = np.zeros(len(edge)), np.zeros(len(edge))
    for pose in guide.poses:
        along, off = pose[c] - pose[a], pose[b] - pose[a]
        square = np.square(along).sum(1)
        t = np.clip((off * along).sum(1) / np.maximum(square, 1e-20), 0, 1)
        distance = np.maximum(distance, np.linalg.norm(t[:, None] * along - off, axis=1))
        length = np.maximum(length, np.sqrt(square))
    if mesh.of_triangles:
        distance = _off_planes(mesh, guide.poses[0], kept, removed)[edge]
    made = np.square(length) / (guide.size[a] * guide.size[b]) + np.square(distance / guide.tolerance[b])
    even = (np.square(around[a]) + np.square(around[c])) / 2 / np.maximum(np.square(length), 1e-20)
    made *= 1 - np.minimum(_EVEN * even, 0.9)
    worst = np.zeros(len(kept))
    np.maximum.at(worst, edge, made)
    # Where none goes on, the strip's own edges take the vertex's place.
    moved = np.linalg.norm(guide.poses[0][kept] - guide.poses[0][removed], axis=1)
    return np.where(worst > 0, worst, np.square(2 * moved / guide.size[removed]))


def _off_planes(mesh: QuadMesh, points: np.ndarray, kept: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """The most (E,) that a kept vertex is off the planes of the triangles at the one removed.

    Where only triangles are left, edges need not keep their course on the surface.
    """
    quads = mesh.quads[:, :3]
    p = points[quads]
    normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-20)
    edge, entry = _listed(quads.ravel(), removed, len(points))
    off = np.abs((normal[entry // 3] * (points[kept] - points[removed])[edge]).sum(1))
    most = np.zeros(len(kept))
    np.maximum.at(most, edge, off)
    return most


def _listed(values: np.ndarray, wanted: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each of `wanted` (n,) is among `values` (m,), both below `count`: pairs of an index of either."""
    order = np.argsort(values, kind="stable")
    times = np.bincount(values, minlength=count)
    begin, times = (np.cumsum(times) - times)[wanted], times[wanted]
    which = np.repeat(np.arange(len(wanted)), times)
    within = np.arange(len(which)) - np.repeat(np.cumsum(times) - times, times)
    return which, order[begin[which] + within]


def _without(mesh: QuadMesh, guide: Guide, merge: Merge) -> QuadMesh | None:
    """The mesh with vertices merged into those kept, or None when that is not sound."""
    target = _targets(mesh, guide, merge.kept, merge.removed)
    wedges = None if target is None else _wedge_targets(mesh, target, merge.wedges)
    smaller = None if wedges is None else mesh.merged(wedges)
    if smaller is None:
        return None
    if not _is_like(mesh, smaller, len(guide.mirror)):
        return None
    # Faces keep their order; those that were not sound before may stay so.
    was = mesh.part(np.searchsorted(mesh.faces, smaller.faces))
    changed = np.flatnonzero((was.corners != smaller.corners).any(1))
    part = smaller.part(changed)
    bad = part.unsound(guide.poses, guide.normals, guide.sign[part.faces], guide.limits)
    if not bad.any():
        return smaller
    before = was.part(changed[bad])
    worse = ~before.unsound(guide.poses, guide.normals, guide.sign[before.faces], guide.limits)
    return None if worse.any() else smaller


def _is_like(mesh: QuadMesh, smaller: QuadMesh, count: int) -> bool:
    """Whether a smaller mesh has a mesh's topology, and no vertex with too many or too few edges; `count` vertices."""
    before, _ = mesh.valence(count)
    now, border = smaller.valence(count)
    most = np.maximum(before, _VALENCE[int(mesh.of_triangles)])
    few = (now > 0) & (now < 3) & ~border & (before != now)
    if (now > most).any() or few.any():
        return False
    old, new = mesh.topology(), smaller.topology()
    return new[:2] == old[:2] and new[2] <= old[2] and new[3] <= old[3]


def _targets(mesh: QuadMesh, guide: Guide, kept: np.ndarray, removed: np.ndarray) -> np.ndarray | None:
    """The vertex (V,) that each one becomes; None when lines would merge or the mirror image would differ."""
    count = len(guide.mirror)
    moved = np.unique(np.concatenate([kept, removed]))
    group = components(count, kept, removed)
    rank = mesh.ranks(count)[moved]
    along = np.isin(pair_keys(kept, removed), mesh.lines)
    links = np.bincount(group[kept[along]], minlength=count)
    lines = np.bincount(group[moved], rank > 0, minlength=count)
    if (lines - links > 1).any() or (np.bincount(group[moved], rank > 1, minlength=count) > 1).any():
        return None
    # Of each group stays the vertex of the highest rank, then the one most often kept.
    net = np.bincount(kept, minlength=count) - np.bincount(removed, minlength=count)
    order = np.lexsort((np.minimum(moved, guide.mirror[moved]), -net[moved], -rank, group[moved]))
    first = np.unique(group[moved][order], return_index=True)[1]
    owner = np.full(count, -1)
    owner[group[moved][order[first]]] = moved[order[first]]
    target = np.arange(count)
    target[moved] = owner[group[moved]]
    return None if (guide.mirror[target[moved]] != target[guide.mirror[moved]]).any() else target


def _wedge_targets(mesh: QuadMesh, target: np.ndarray, linked: np.ndarray) -> np.ndarray | None:
    """The wedge (W,) that each one becomes: the kept vertex's on the same side of a seam."""
    vertex = mesh.wedges.vertex
    group = components(len(vertex), linked[0], linked[1])
    touched = np.unique(linked)
    stays = touched[target[vertex[touched]] == vertex[touched]]
    owner = np.full(len(vertex), -1)
    owner[group[stays]] = stays
    result = np.arange(len(vertex))
    result[touched] = owner[group[touched]]
    used = np.unique(mesh.corners[mesh.corners >= 0])
    if len(np.unique(group[stays])) != len(stays) or (result[touched] < 0).any():
        return None
    return None if (vertex[result[used]] != target[vertex[used]]).any() else result
