# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts of a UV layout: seams, connection and borders."""

import numpy as np
import pytest

from hffne_blender.numeric import uv_charts, winding


def strip(count, first=0):
    """Triangles (2 * count, 3) of a strip of squares."""
    at = first + 2 * np.arange(count)[:, None]
    return np.concatenate([at + [0, 2, 3], at + [0, 3, 1]])


def test_a_vertex_with_two_uvs_becomes_two():
    vertices = np.array([[0, 1, 2], [0, 2, 3]])
    uvs = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], float)
    joined, of = uv_charts.split_at_seams(vertices, uvs)
    assert np.array_equal(of, [0, 1, 2, 3]) and np.array_equal(joined, vertices)
    uvs[1] += 5
    split, of = uv_charts.split_at_seams(vertices, uvs)
    assert sorted(of) == [0, 0, 1, 2, 2, 3] and np.array_equal(of[split], vertices)
    assert len(np.unique(uv_charts.charts(split))) == 2


def test_what_hangs_together_is_one_chart_however_it_is_numbered():
    generator = np.random.default_rng(3)
    triangles = np.concatenate([strip(200), strip(90, first=402)])
    number = generator.permutation(triangles.max() + 1)
    found = uv_charts.charts(number[triangles])
    assert len(np.unique(found[:400])) == len(np.unique(found[400:])) == 1 and found[0] != found[-1]


def test_the_largest_chart_is_that_of_the_largest_area():
    triangles = np.concatenate([strip(3), strip(30, first=8)])
    corners = np.stack([triangles // 2, triangles % 2], -1).astype(float)
    assert np.array_equal(uv_charts.largest_chart(triangles, corners), np.arange(66) >= 6)
    corners[:6] *= 20
    assert np.array_equal(uv_charts.largest_chart(triangles, corners), np.arange(66) < 6)


def test_the_border_of_a_strip_is_all_of_it_and_a_closed_surface_has_none():
    assert np.array_equal(uv_charts.border_vertices(strip(4)), np.arange(10))
    tetrahedron = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
    assert len(uv_charts.border_vertices(tetrahedron)) == 0


def test_patches_that_are_wound_against_their_neighbors_are_found():
    triangles = strip(10)
    assert winding.against_neighbors(triangles) is None
    triangles[:6] = triangles[:6, ::-1]
    patch = winding.against_neighbors(np.concatenate([triangles, strip(3, first=50)]))
    assert (patch[-6:] == -1).all() and len(np.unique(patch[:-6])) >= 2
    cosines = np.r_[-np.ones(6), np.ones(14), -np.ones(6)]
    # A part of its own may look inward: the inside of a mouth.
    assert winding.turned_share(patch, cosines, np.ones(26)) == pytest.approx(6 / 26)
    cosines[-6:] = np.nan
    assert winding.turned_share(patch, cosines, np.ones(26)) == pytest.approx(6 / 20)
