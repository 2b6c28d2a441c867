# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's arithmetic on arrays, which needs no Blender."""

import io

import numpy as np
import pytest
from PIL import Image

from hffne_blender.numeric import deformation, resample, similarity, srgb, subdivision, world_surface
from hffne_blender.numeric.png import png_bytes
from hffne_blender.numeric.warp import Warp


def rotation(seed=0):
    """A rotation matrix that is none of the axes'."""
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.array([1, 1, np.linalg.det(q)])


def test_a_warp_meets_its_points_and_leaves_far_ones_straight():
    generator = np.random.default_rng(3)
    at = generator.normal(size=(40, 3))
    moved = at + 0.1 * generator.normal(size=(40, 3))
    assert np.abs(Warp(at, moved)(at) - moved).max() < 1e-7
    # An affine map is one without bending: it is met everywhere.
    turn, probe = rotation(), generator.normal(size=(100, 3)) * 3
    assert np.abs(Warp(at, at @ turn * 2 + 1)(probe) - (probe @ turn * 2 + 1)).max() < 1e-6
    # Points in one plane leave the bending across it open.
    flat, up = at * [1, 1, 0], np.array([0, 0, 1])
    off = np.abs(Warp(flat, flat + up)(flat) - flat - up).max()
    assert np.isfinite(off) and off < 1e-3


def test_a_similarity_is_found_from_pairs_and_onto_a_surface():
    points = np.random.default_rng(1).normal(size=(60, 3))
    wanted = similarity.Similarity(2.5, rotation(2), np.array([1.0, -2, 3]))
    found = similarity.from_pairs(points, wanted(points))
    assert found.scale == pytest.approx(2.5) and np.allclose(found.rotation, wanted.rotation)
    assert np.allclose(found.offset, wanted.offset)

    # Two planes and a sphere's cap: the nearest point is known by formula.
    def nearest(moved):
        sphere = moved / np.linalg.norm(moved, axis=1, keepdims=True)
        return sphere, sphere, np.ones(len(moved), bool)

    on_sphere = points / np.linalg.norm(points, axis=1, keepdims=True)
    moved = similarity.onto_surface(on_sphere * 1.05 + 0.03, nearest)
    assert np.abs(np.linalg.norm(moved, axis=1) - 1).max() < 1e-6


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_png_holds_the_very_values(dtype):
    # More than one block of rows, so that several threads compress it.
    pixels = np.random.default_rng(4).integers(0, np.iinfo(dtype).max, (900, 700), dtype, endpoint=True)
    assert (np.array(Image.open(io.BytesIO(png_bytes(pixels)))) == pixels).all()
    with pytest.raises(ValueError):
        png_bytes(pixels.astype(np.float32))


def test_srgb_goes_there_and_back():
    light = np.linspace(0, 1, 1001)
    assert np.abs(srgb.to_linear(srgb.from_linear(light)) - light).max() < 1e-6
    assert srgb.from_linear(np.array([0.2140]))[0] == pytest.approx(0.5, abs=1e-3)


def test_resampling_keeps_a_ramp_and_a_constant():
    size = 32
    column = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(column, 1 - column)
    ramp = np.dstack([2 * u - v, np.ones_like(u)])
    uv = np.random.default_rng(5).uniform(0.1, 0.9, (50, 2))
    expected = np.stack([2 * uv[:, 0] - uv[:, 1], np.ones(50)], 1)
    for sample in (resample.cubic, resample.bilinear):
        assert np.abs(sample(ramp, uv) - expected).max() < 1e-9
    assert np.abs(resample.resize(ramp, 16)[4, 5] - (2 * 5.5 / 16 - (1 - 4.5 / 16), 1)).max() < 1e-9


def test_a_split_triangle_is_covered_once_by_pieces_of_its_own_winding():
    corners = np.array([[[0.0, 0, 0], [0.01, 0, 0], [0, 0.008, 0]]])
    owner, share = subdivision.split_triangles(corners, 0.0025)
    pieces = np.einsum("pcd,pdx->pcx", share, corners[owner])
    area = np.cross(pieces[:, 1] - pieces[:, 0], pieces[:, 2] - pieces[:, 0])[:, 2]
    assert (area > 0).all() and area.sum() == pytest.approx(0.01 * 0.008)
    edges = np.linalg.norm(pieces - np.roll(pieces, 1, axis=1), axis=2)
    assert edges.max() <= 0.0025 + 1e-12


def test_tangents_turn_and_sizes_grow_with_the_mesh():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    along = np.tile([1.0, 0, 0], (4, 1))
    turn = rotation(6)
    after = 3 * points @ turn.T
    assert np.allclose(deformation.deformed_tangents(along, points, after, triangles), along @ turn.T)
    assert deformation.relative_size(points, after) == pytest.approx(3)
    assert np.allclose(world_surface.vertex_normals(after, triangles), turn[:, 2])
