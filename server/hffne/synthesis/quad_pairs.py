# SPDX-License-Identifier: GPL-3.0-or-later
"""Join the triangles of a mesh two by two, so that quads come of them."""

from dataclasses import replace

import numpy as np

from hffne.synthesis.quad_collapse import Guide
from hffne.synthesis.quad_mesh import Limits, QuadMesh, pair_keys

# Better a poor quad than two triangles, but none that is not sound.
_LIMITS = Limits(sine=0.03, uv_sine=0.0, convex=0.0, facing=-0.1)


def paired(mesh: QuadMesh, guide: Guide) -> QuadMesh:
    """As many pairs of adjacent triangles as possible joined to quads, the most planar and square first.

    Pairs are joined with their mirror images; a triangle without a partner stays.
    """
    import networkx

    first, second, corners = _candidates(mesh)
    if not len(first):
        return mesh
    joined = replace(mesh, corners=corners, faces=mesh.faces[first])
    sound = ~joined.unsound(guide.poses[:1], guide.normals, guide.sign[joined.faces], _LIMITS)
    quality = _quality(joined, guide.poses[0])
    image = _images(mesh, guide)
    number = {(int(a), int(b)): index for index, (a, b) in enumerate(zip(first, second, strict=True))}
    graph = networkx.Graph()
    alone: dict[int, int] = {}
    for (a, b), index in sorted(number.items()):
        other = number.get((int(min(image[a], image[b])), int(max(image[a], image[b]))))
        if other is None or not (sound[index] and sound[other]):
            continue
        ends = min(a, int(image[a])), min(b, int(image[b]))
        if ends[0] == ends[1]:
            alone[ends[0]] = index
            continue
        weight = int(1e6 * min(quality[index], quality[other]))
        if weight > graph.get_edge_data(*ends, {"weight": -1})["weight"]:
            graph.add_edge(*ends, weight=weight, pairs={index, other})
    while True:
        match = networkx.max_weight_matching(graph, maxcardinality=True)
        single = sorted(set(alone) - {end for ends in match for end in ends})
        chosen = {index: ends for ends in match for index in graph.edges[ends]["pairs"]}
        pairs = np.array(sorted({*chosen, *(alone[end] for end in single)}), int)
        rest = np.setdiff1d(np.arange(len(mesh.corners)), [first[pairs], second[pairs]])
        result = replace(
            mesh,
            corners=np.concatenate([mesh.corners[rest], corners[pairs]]),
            faces=np.concatenate([mesh.faces[rest], joined.faces[pairs]]),
        )
        crowded = set(_left_with_two(mesh, result).tolist())
        wrong = [index for index in pairs if crowded & set(joined.quads[index].tolist())]
        if not wrong:
            return result
        worst = min(wrong, key=lambda index: (quality[index], index))
        if worst in chosen:
            graph.remove_edge(*chosen[worst])
        else:
            del alone[next(end for end in single if alone[end] == worst)]


def _left_with_two(mesh: QuadMesh, result: QuadMesh) -> np.ndarray:
    """The vertices inside of the result that have two edges only, and more in the mesh."""
    count = int(mesh.used.max()) + 1
    before, _ = mesh.valence(count)
    now, border = result.valence(count)
    return np.flatnonzero((now == 2) & (before > 2) & ~border)


def _candidates(mesh: QuadMesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Adjacent triangles (n,), (n,) without a seam or a line between them, and the corners (n, 4) of both in one."""
    triangles = np.flatnonzero(mesh.corners[:, 3] < 0)
    corner = mesh.corners[triangles][:, :3]
    start, end, far = corner.ravel(), np.roll(corner, -1, 1).ravel(), np.roll(corner, -2, 1).ravel()
    face = np.repeat(triangles, 3)
    keys = pair_keys(start, end)
    order = np.argsort(keys, kind="stable")
    two = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    one, other = order[two], order[two + 1]
    vertex = mesh.wedges.vertex
    good = (start[one] == end[other]) & ~np.isin(pair_keys(vertex[start[one]], vertex[end[one]]), mesh.lines)
    one, other = one[good], other[good]
    corners = np.stack([start[one], far[other], end[one], far[one]], 1)
    return face[one], face[other], corners


def _quality(joined: QuadMesh, points: np.ndarray) -> np.ndarray:
    """(n,) 0 to 2: how square and planar quads are."""
    p = points[joined.quads]
    a, b = np.roll(p, -1, 1) - p, np.roll(p, 1, 1) - p
    turned = np.cross(a, b)
    area = np.linalg.norm(turned, axis=2)
    sine = area / np.maximum(np.linalg.norm(a, axis=2) * np.linalg.norm(b, axis=2), 1e-20)
    normal = turned / np.maximum(area, 1e-20)[..., None]
    bend = np.minimum((normal[:, 0] * normal[:, 2]).sum(1), (normal[:, 1] * normal[:, 3]).sum(1))
    return np.asarray(np.clip(sine.min(1) + bend, 0, 2))


def _images(mesh: QuadMesh, guide: Guide) -> np.ndarray:
    """The mirror image (q,) of each face; itself when there is none."""
    known = {tuple(sorted(quad)): index for index, quad in enumerate(mesh.quads.tolist())}
    mirrored = np.where(mesh.quads >= 0, guide.mirror[mesh.quads], -1).tolist()
    return np.array([known.get(tuple(sorted(quad)), index) for index, quad in enumerate(mirrored)])
