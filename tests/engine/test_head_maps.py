# SPDX-License-Identifier: GPL-3.0-or-later
"""The derived maps on the head's UVs."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from hffne.geometry.vectors import normalize
from hffne.head.layout import HeadLayout
from hffne.head.model import head_model
from hffne.head.skin import raster, skin
from hffne.head.surface import HeadSurface
from hffne.maps.curvature import curvature
from hffne.maps.height import height
from hffne.maps.inputs import MapInputs
from hffne.maps.registry import MAPS, make_maps
from painted_head import TONE, base_shape, mean_head, photograph, texel_values, unwrapped


@pytest.fixture(scope="module")
def head():
    return mean_head()


@pytest.fixture(scope="module")
def layout(head):
    return HeadLayout(head)


@pytest.fixture(scope="module")
def maps(head, layout):
    photo, estimate = photograph(head, base_shape())
    textures = unwrapped(head, estimate, photo, 512)
    return make_maps(MAPS, SimpleNamespace(rgb=photo), estimate, textures, layout)


def test_every_map_exists(maps):
    for spec in MAPS.values():
        for name, kind in spec.gives.items():
            array = maps[name]
            assert array.dtype == kind.dtype and array.ndim == (3 if kind.channels else 2)
            assert np.isfinite(array).all()
            if kind.texture_size:
                assert array.shape[:2] == (512, 512)


def test_the_back_of_the_head_keeps_its_color_without_the_light(maps, head):
    points, _, inside = texel_values(head, 512)
    back = inside & (points[..., 1] > 0.05)
    assert back.sum() > 10_000
    assert np.abs(maps["albedo"][back].astype(float) - TONE).mean() < 15


def test_tangents_are_those_of_the_surface(layout):
    surface = layout.surface(512)
    columns, rows = surface.joined_columns > 0, surface.joined_rows > 0
    assert columns.mean() > 0.6 and rows.mean() > 0.6
    for step, along, joined in (
        (np.diff(surface.points, axis=1), (surface.right[:, 1:] + surface.right[:, :-1]) / 2, columns),
        (np.diff(surface.points, axis=0), (surface.down[1:] + surface.down[:-1]) / 2, rows),
    ):
        error = np.linalg.norm(step - along, axis=2)[joined] / np.linalg.norm(along, axis=2)[joined]
        assert np.median(error) < 0.1 and np.percentile(error, 95) < 0.6


@pytest.mark.parametrize("size", [128, 256, 512, 768])
def test_neighbors_are_not_on_different_lids_or_charts(layout, size):
    surface = layout.surface(size)
    eyes = cv2.resize(layout.regions["eyes"].astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST) > 0
    step = np.linalg.norm(np.diff(surface.points, axis=0), axis=2)
    joined = (surface.joined_rows > 0) & eyes[1:]
    assert joined.any() and step[joined].max() < 0.004 + 1.5 / size
    assert not surface.joined_rows[~((surface.mask[1:] > 0.5) & (surface.mask[:-1] > 0.5))].any()


def test_relief_does_not_open_the_seams(layout):
    surface = layout.surface(512)
    waves = np.stack([0.3 * np.sin(700 * surface.points[..., 0]), 0 * surface.mask, 0 * surface.mask], -1)
    found = height(surface, surface.normal_of(waves.astype(np.float32)), np.ones_like(surface.mask))
    assert found.std() > 2e-5
    grid, seam = raster(512), np.zeros(len(skin().of_point), np.float32)
    twice = np.bincount(skin().of_point) > 1
    seam[twice[skin().of_point]] = 1
    on_seam = (grid.interpolated(seam[:, None])[..., 0] > 0.9) & grid.inside
    assert np.abs(found[on_seam]).mean() < 0.1 * found[grid.inside].std()


def test_the_displaced_head_has_the_textures_normals(head, layout):
    photo, estimate = photograph(head, base_shape(), strength=0.15)
    inputs = MapInputs(SimpleNamespace(rgb=photo), estimate, unwrapped(head, estimate, photo, 512), layout)
    surface = inputs.surface
    moved = surface.points + inputs.height[..., None] * surface.normal
    right, down = surface.gradients(moved)
    normal = normalize(np.cross(down, right))
    shown = cv2.resize(inputs.textures.confidence, surface.mask.shape, interpolation=cv2.INTER_AREA) > 0.9
    error = np.degrees(np.arccos(np.clip((normal * inputs.normal).sum(-1), -1, 1)))[shown & surface.inner()]
    before = np.degrees(np.arccos(np.clip((surface.normal * inputs.normal).sum(-1), -1, 1)))[shown & surface.inner()]
    assert error.mean() < 4 < before.mean()


def test_curvature_stays_within_a_chart(layout):
    surface = layout.surface(512)
    found = np.abs(curvature(surface, surface.normal))
    # 1 / 3 mm: nothing on the mean head is as sharp, but lids, lips and ears.
    assert np.percentile(found[surface.mask > 0.5], 90) < 330
    points = HeadSurface(mean_head()).points[skin().of_point]
    back = raster(512).interpolated(points)[..., 1] > 0.04
    assert found[back & (surface.mask > 0.5)].max() < 250


def test_hollows_of_the_head_are_dark(layout, maps):
    share = layout.shape_occlusion()
    assert share.shape == (512, 512)
    around = raster(512).interpolated(skin().around[skin().of_point], 9.0)
    sockets = raster(512).interpolated((skin().chart > 2).astype(float)[:, None])[..., 0] > 0.5
    forehead = (np.abs(around[..., 0]) < 0.2) & (around[..., 1] > 0.5) & (around[..., 1] < 0.7)
    assert share[sockets].mean() < 0.3 < 0.9 < share[forehead].mean()
    model = head_model()
    nostril = np.argmin(np.linalg.norm(model.neutral[skin().vertices] - model.at_landmarks(model.neutral)[32], axis=1))
    column, row = (skin().uv[np.flatnonzero(skin().of_point == nostril)[0]] * [1, -1] + [0, 1]) * 512
    assert share[int(row), int(column)] < 0.7
    assert maps["occlusion"].max() > 60_000


def test_regions_are_where_they_belong(layout):
    regions = layout.regions
    for name, region in regions.items():
        assert region.any() and (region == region[:, ::-1]).mean() > 0.99, name
    row, _ = np.nonzero(regions["lips"])
    assert row.mean() > np.nonzero(regions["nose"])[0].mean() > np.nonzero(regions["eyes"])[0].mean()
    assert not regions["forehead"][int(256 * 0.75) :].any()
