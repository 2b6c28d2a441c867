# SPDX-License-Identifier: GPL-3.0-or-later
"""Coarsening a mesh of quads: a ball of six charts with a hole at its top."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy")

from hffne.synthesis.quad_collapse import Guide, collapse
from hffne.synthesis.quad_mesh import Limits, QuadMesh, Wedges, pair_keys
from hffne.synthesis.quad_pairs import paired

SIDE = 12


def ball() -> tuple[QuadMesh, np.ndarray]:
    """A cube's six grids blown up to a ball without the middle of its top, and its vertices (V, 3)."""
    at = np.linspace(-1, 1, SIDE + 1)
    u, v = np.meshgrid(at, at, indexing="ij")
    grids = []
    for axis in range(3):
        for sign in (-1, 1):
            grid = np.empty((SIDE + 1, SIDE + 1, 3))
            grid[..., axis] = sign
            grid[..., (axis + 1) % 3], grid[..., (axis + 2) % 3] = (u, v) if sign > 0 else (v, u)
            grids.append(grid)
    points = np.stack(grids).round(9)
    vertices, index = np.unique(points.reshape(-1, 3), axis=0, return_inverse=True)
    index = index.reshape(points.shape[:3])
    quads = np.stack([index[:, :-1, :-1], index[:, 1:, :-1], index[:, 1:, 1:], index[:, :-1, 1:]], -1)
    uv = np.stack(np.meshgrid(np.arange(SIDE + 1), np.arange(SIDE + 1), indexing="ij"), -1) / SIDE / 6
    uv = np.stack([uv + [number / 6, 0] for number in range(6)])
    uvs = np.stack([uv[:, :-1, :-1], uv[:, 1:, :-1], uv[:, 1:, 1:], uv[:, :-1, 1:]], 3)
    keep = np.ones(quads.shape[:3], bool)
    # Axis 1 is up.
    keep[3, SIDE // 2 - 1 : SIDE // 2 + 1, SIDE // 2 - 1 : SIDE // 2 + 1] = False
    wedges, corners = Wedges.of(quads[keep], uvs[keep])
    mesh = QuadMesh(corners, np.arange(len(corners)), wedges, np.zeros(0, np.int64))
    return mesh, vertices / np.linalg.norm(vertices, axis=1, keepdims=True)


def guided(mesh: QuadMesh, points: np.ndarray) -> tuple[QuadMesh, Guide]:
    """The mesh with its border, seams and middle as lines, and an even guide with x mirrored."""
    mirror = np.argmin(np.square(points[:, None] * [-1, 1, 1] - points).sum(2), axis=1)
    start, end = mesh.half_edges
    middle = pair_keys(start, end)[(mirror[start] == start) & (mirror[end] == end)]
    lines = np.unique(np.concatenate([mesh.border(), mesh.seams(), middle]))
    guide = Guide(
        poses=points[None],
        size=np.full(len(points), 0.1),
        tolerance=np.full(len(points), 0.02),
        normals=points,
        mirror=mirror,
        sign=np.ones(len(mesh.corners)),
    )
    return replace(mesh, lines=lines), guide


@pytest.fixture(scope="module")
def case() -> tuple[QuadMesh, Guide]:
    return guided(*ball())


@pytest.fixture(scope="module", params=[0.6, 0.3])
def coarse(case, request) -> QuadMesh:
    mesh, guide = case
    return collapse(mesh, guide, int(request.param * len(mesh.used)))


def test_the_required_share_of_the_vertices_is_left(case, coarse):
    share = len(coarse.used) / len(case[0].used)
    assert min(abs(share - 0.6), abs(share - 0.3)) < 0.03
    assert set(coarse.used) < set(case[0].used)


def test_quads_remain_quads_of_a_surface_with_the_same_hole(case, coarse):
    assert (coarse.corners >= 0).all()
    assert coarse.topology() == case[0].topology() == (1, 1, 0, 0)
    assert len({frozenset(quad) for quad in coarse.quads.tolist()}) == len(coarse.quads)
    assert all(len(set(quad)) == 4 for quad in coarse.quads.tolist())


def test_no_vertex_inside_has_two_edges_only(case, coarse):
    valence, border = coarse.valence(len(case[1].mirror))
    inside = valence[(valence > 0) & ~border]
    assert inside.min() >= 3
    assert inside.max() <= 6


def test_faces_look_outward_and_stay_close_to_the_ball(case, coarse):
    points = case[1].poses[0]
    p = points[coarse.quads]
    normal = np.cross(p[:, 2] - p[:, 0], p[:, 3] - p[:, 1])
    cosine = (normal * p.mean(1)).sum(1) / np.linalg.norm(normal, axis=1) / np.linalg.norm(p.mean(1), axis=1)
    assert cosine.min() > 0.8
    assert np.linalg.norm(p.mean(1), axis=1).min() > 0.85


def test_the_coarse_mesh_is_its_own_mirror_image(case, coarse):
    known = {frozenset(quad) for quad in coarse.quads.tolist()}
    assert known == {frozenset(quad) for quad in case[1].mirror[coarse.quads].tolist()}


def test_every_corner_keeps_to_its_chart_and_its_vertex(case, coarse):
    mesh = case[0]
    chart = np.floor(coarse.wedges.uv[mesh.corners][..., 0].mean(1) * 6)
    uv = coarse.wedges.uv[coarse.corners]
    assert (np.floor(uv[..., 0].mean(1) * 6) == chart[coarse.faces]).all()
    low = chart[coarse.faces][:, None] / 6
    assert ((uv[..., 0] >= low - 1e-9) & (uv[..., 0] <= low + 1 / 6 + 1e-9)).all()
    a, b = uv[:, 2] - uv[:, 0], uv[:, 3] - uv[:, 1]
    assert (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] > 0).all()


def test_the_result_is_the_same_each_time(case, coarse):
    mesh, guide = case
    again = collapse(mesh, guide, len(coarse.used))
    assert np.array_equal(again.corners, coarse.corners)


def test_where_edges_may_be_long_they_are():
    mesh, guide = guided(*ball())
    low = guide.poses[0][:, 1] < 0
    size = np.where(low, 0.4, 0.1)
    coarse = collapse(mesh, replace(guide, size=size, tolerance=size / 5), len(mesh.used) * 2 // 3)
    assert np.mean(low[coarse.used]) < np.mean(low[mesh.used]) - 0.05


def test_what_cannot_be_taken_out_soundly_stays(case):
    mesh, guide = case
    least = collapse(mesh, guide, 4)
    assert least.topology() == mesh.topology()
    strict = collapse(mesh, replace(guide, limits=Limits(facing=0.96)), 4)
    assert len(least.used) < len(strict.used) < len(mesh.used)
    assert not strict.unsound(guide.poses, guide.normals, guide.sign[strict.faces], Limits(facing=0.96)).any()


def test_a_fan_of_triangles_becomes_quads():
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False) + 0.1
    rim = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    points = np.vstack([[[0, 0, 0.1]], rim])
    ring = np.arange(8)
    quads = np.stack([0 * ring, 1 + ring, 1 + (ring + 1) % 8, 0 * ring - 1], 1)
    uvs = np.where(quads[..., None] >= 0, points[quads][..., :2], 0)
    wedges, corners = Wedges.of(quads, uvs)
    mesh = QuadMesh(corners, ring, wedges, np.zeros(0, np.int64))
    up = np.tile([0.0, 0, 1], (9, 1))
    guide = Guide(points[None], np.ones(9), np.ones(9), up, np.arange(9), np.ones(8))
    joined = paired(mesh, guide)
    assert (joined.corners >= 0).all()
    assert len(joined.corners) == 4
    assert joined.topology() == mesh.topology()
    # A seam between two triangles is not crossed.
    seam = replace(mesh, lines=np.array([pair_keys(np.array(0), np.array(one)) for one in (1, 2)]))
    assert (paired(seam, guide).corners[:, 3] < 0).sum() == 2


def test_triangles_of_quads_have_the_same_border():
    mesh, points = ball()
    triangles = mesh.triangulated(points)
    assert triangles.of_triangles
    assert len(triangles.corners) == 2 * len(mesh.corners)
    assert np.array_equal(triangles.border(), mesh.border())
    assert triangles.topology()[:3] == mesh.topology()[:3]
