# SPDX-License-Identifier: GPL-3.0-or-later
"""The derived maps, against surfaces, reliefs and lights that are known by formula."""

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from hffne.geometry.base_shape import fit_base_shape
from hffne.geometry.face_parts import wide_crop
from hffne.geometry.grids import fill_gaps, surface_normals
from hffne.geometry.project import project
from hffne.geometry.unlit import DARK
from hffne.geometry.unwrap import unwrap
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.maps.bands import COARSE, FINE, bands
from hffne.maps.curvature import curvature
from hffne.maps.height import height, integrate
from hffne.maps.occlusion import occlusion, shape_occlusion
from hffne.maps.pores import SIDE, pores
from hffne.maps.registry import MAPS, make_maps
from hffne.maps.uv_surface import UVSurface, uv_surface
from hffne.photo.colors import to_linear, to_srgb
from hffne.photo.crop import Crop, extract_crop
from posed_head import position_map, turned


@pytest.fixture(scope="module")
def shape():
    return fit_base_shape(position_map(turned(0)))


def cap(size, radius, span=1.6, hollow=False):
    """A UVSurface that is part of a sphere, seen along -y, and the sphere's own unit normals."""
    at = ((np.arange(size) + 0.5) / size - 0.5) * span
    yaw, pitch = np.meshgrid(at, -at)
    out = np.stack([np.sin(yaw) * np.cos(pitch), -np.cos(yaw) * np.cos(pitch), np.sin(pitch)], -1).astype(np.float32)
    if hollow:
        out[..., 1] *= -1
    points = out * radius
    right, down = np.gradient(points, axis=1), np.gradient(points, axis=0)
    normal = normalize(np.cross(down, right)).astype(np.float32)
    assert ((normal * out).sum(-1) * (-1 if hollow else 1) > 0.99).all()
    return UVSurface(points, normal, right, down, np.ones((size, size), np.float32)), normal


def wave(surface, length, depth):
    """A relief (S, S) in meters with waves of `length` meters across the face, and its normals."""
    points = surface.points
    phase = 2 * np.pi / length
    relief = depth * np.sin(phase * points[..., 0]) * np.cos(phase * 0.7 * points[..., 2])
    moved = points + relief[..., None] * surface.normal
    normal = normalize(np.cross(np.gradient(moved, axis=0), np.gradient(moved, axis=1)))
    return relief.astype(np.float32), normal.astype(np.float32)


def decoded(codes):
    return codes / np.float32(65535) * 2 - 1


def inner(surface, steps=40):
    """Well within the face, where the surface is smooth: cheeks and forehead."""
    face = surface.mask > 0.99
    for name in ("eyes", "lips", "nose", "brows"):
        region = np.kron(template().regions[name], np.ones((surface.size // 128,) * 2, bool))
        face &= ~region
    row, column = np.indices(face.shape)
    away = np.hypot(row - surface.size / 2, column - surface.size / 2) < surface.size * 0.30
    return face & away


def test_the_height_is_that_of_the_relief_in_meters(shape):
    surface = uv_surface(shape, 512)
    relief, normal = wave(surface, 0.008, 0.0002)
    found = height(surface, normal, np.ones(surface.mask.shape, np.float32))
    where = inner(surface)
    a, b = found[where] - found[where].mean(), relief[where] - relief[where].mean()
    assert np.corrcoef(a, b)[0, 1] > 0.97
    assert (a @ b) / (b @ b) == pytest.approx(0.9, abs=0.08)  # what REACH leaves of such waves


def test_the_shape_is_no_relief(shape):
    surface = uv_surface(shape, 256)
    relief, normal = wave(surface, 0.12, 0.004)
    found = height(surface, normal, np.ones(surface.mask.shape, np.float32))
    where = inner(surface)
    assert found[where].std() < 0.2 * relief[where].std()
    flat = height(surface, surface.normal, np.ones(surface.mask.shape, np.float32))
    assert np.abs(flat).max() < 1e-6


def test_what_the_photo_saw_outweighs_what_it_did_not():
    size, step = 64, 0.0005
    right, down = np.zeros((2, size, size, 3), np.float32)
    right[..., 0], down[..., 2] = step, -step
    x = np.arange(size) * step
    truth = np.broadcast_to(0.0003 * np.sin(2 * np.pi * x / 0.008), (size, size))
    gradient = np.zeros((size, size, 3), np.float32)
    gradient[..., 0] = np.gradient(truth, step, axis=1)
    lies = gradient.copy()
    lies[20:30] += np.random.default_rng(1).normal(0, 0.5, (10, size, 3)).astype(np.float32)
    weight = np.ones((size, size), np.float32)
    even = integrate(lies, right, down, weight)
    weight[20:30] = 0.02
    weighted = integrate(lies, right, down, weight)
    clean = integrate(gradient, right, down, np.ones((size, size), np.float32))
    rows = np.r_[10:19, 31:40]
    assert np.abs(weighted - clean)[rows].mean() < 0.3 * np.abs(even - clean)[rows].mean()


def test_curvature_of_spheres():
    for radius, hollow in ((0.08, False), (0.02, False), (0.05, True)):
        surface, normal = cap(96, radius, hollow=hollow)
        found = curvature(surface, normal)[8:-8, 8:-8]
        assert np.allclose(found, (-1 if hollow else 1) / radius, rtol=0.03)


def test_a_hollow_is_darker_than_a_ball_and_a_crease_than_a_ridge():
    open_sky, _ = cap(48, 0.08)
    hole, _ = cap(48, 0.08, hollow=True)
    flat = np.zeros((48, 48), np.float32)
    ball = occlusion(open_sky, shape_occlusion(open_sky), flat)
    bowl = occlusion(hole, shape_occlusion(hole), flat)
    assert ball.min() > 0.97 and bowl[20:28, 20:28].mean() < 0.85
    relief = 0.002 * np.cos(np.linspace(0, 20 * np.pi, 48))[None].repeat(48, 0).astype(np.float32)
    lined = occlusion(open_sky, shape_occlusion(open_sky), relief)
    assert lined[relief < -0.0018].mean() < lined[relief > 0.0018].mean() - 0.05


def test_bands_keep_what_is_theirs(shape):
    surface = uv_surface(shape, 512)
    where = inner(surface)

    def kept(length):
        _, normal = wave(surface, length, length / 60)
        whole = surface.slope(normal)[where].std()
        return [surface.slope(band)[where].std() / whole for band in bands(surface, normal)]

    fine, medium, coarse = kept(FINE * 2.5), kept(FINE * 12), kept(COARSE * 14)
    assert max(fine) < 0.15
    assert medium[0] > 0.75 and medium[1] < 0.2
    assert min(coarse) > 0.75


def test_bands_of_the_bare_surface_are_the_bare_surface(shape):
    surface = uv_surface(shape, 256)
    for band in bands(surface, surface_normals(shape.points, 512)):
        error = np.degrees(np.arccos(np.clip((band * surface.normal).sum(-1), -1, 1)))
        assert error[surface.mask > 0.99].mean() < 0.5


@pytest.fixture(scope="module")
def made():
    """All maps of the mean head on a photo lit from its right: (maps, textures)."""
    shape = fit_base_shape(position_map(turned(10)))
    drawn = project(shape.position_map(), 256)
    normal = normalize(fill_gaps(drawn.normal, drawn.mask.astype(np.float32))).astype(np.float32)
    crop = Crop(150.5, 160.0, 256.0, 256)
    lit = 0.35 + 0.65 * np.clip(normal @ np.float32([0.6, 0.3, 0.74]), 0, 1)
    photo = np.full((320, 320, 3), 40, np.uint8)
    photo[32:288, 22:278] = to_srgb(lit[..., None] * np.float32([0.5, 0.33, 0.25]))
    textures = unwrap(shape, drawn, normal, photo, crop, 256)
    color, skin = extract_crop(photo, wide_crop(crop)), np.float32([0.5, 0.33, 0.25]) * 0.8
    gain = np.log((skin + DARK) / (to_linear(color) + DARK)).astype(np.float32)
    estimate = SimpleNamespace(shape=shape, crop=crop, normal=normal, mask=drawn.mask, gain=gain)
    unlit = unwrap(shape, drawn, normal, photo, crop, 128, gain=gain).color
    maps = make_maps(MAPS, SimpleNamespace(rgb=photo), estimate, textures, unlit=lambda: unlit)
    return maps, textures, estimate


def test_every_map_has_its_kind(made):
    maps, _textures, _ = made
    kinds = {name: (array.dtype.name, array.shape) for name, array in maps.items()}
    assert kinds == {
        "albedo": ("uint8", (256, 256, 3)),
        "height": ("float32", (256, 256)),
        "curvature": ("float32", (256, 256)),
        "occlusion": ("uint16", (256, 256)),
        "roughness": ("uint8", (256, 256)),
        "seen": ("uint8", (256, 256)),
        "normal_medium": ("float32", (256, 256, 3)),
        "normal_coarse": ("float32", (256, 256, 3)),
        "photo_normal": ("float32", (256, 256, 3)),
        "photo_mask": ("uint8", (256, 256)),
        "photo_color": ("uint8", (256, 256, 3)),
        "photo_albedo": ("uint8", (256, 256, 3)),
        "normal_pores": ("uint16", (256, 256, 3)),
    }
    for name, array in maps.items():
        assert np.isfinite(array).all(), name
        if "normal" in name:
            normal = decoded(array) if array.dtype == np.uint16 else array
            assert np.allclose(np.linalg.norm(normal, axis=2), 1, atol=1e-4), name


def test_the_photos_light_is_gone_from_the_albedo(made):
    maps, textures, _estimate = made
    skin = textures.confidence > 0.97
    for name in ("eyes", "brows", "lips"):
        skin &= ~np.kron(template().regions[name], np.ones((2, 2), bool))

    def unevenness(color):
        linear = to_linear(color).mean(2)
        return linear[skin].std() / linear[skin].mean()

    assert unevenness(textures.color) > 0.2
    assert unevenness(maps["albedo"]) < 0.3 * unevenness(textures.color)
    face = maps["photo_mask"] > 250
    on_photo = [to_linear(maps[name]).mean(2)[face] for name in ("photo_color", "photo_albedo")]
    before, after = (values.std() / values.mean() for values in on_photo)
    assert after < 0.4 * before


def test_the_roughness_knows_the_parts(made):
    rough = made[0]["roughness"]
    part = {name: rough[np.kron(template().regions[name], np.ones((2, 2), bool))].mean() for name in ("lips", "jaw")}
    assert part["lips"] + 15 < part["jaw"]


def test_each_map_gives_the_arrays_that_it_declares_and_needs_only_its_own(made):
    maps, textures, estimate = made
    photo = SimpleNamespace(rgb=np.full((320, 320, 3), 99, np.uint8))
    for name, spec in MAPS.items():
        only = make_maps([name], photo, estimate, textures)
        assert {
            array: (a.dtype.name, a.shape[2:] != (), a.shape == maps[array].shape) for array, a in only.items()
        } == {array: (kind.dtype, kind.channels > 0, True) for array, kind in spec.gives.items()}
        sizes = {array: a.shape[:2] for array, a in only.items() if spec.gives[array].texture_size}
        assert set(sizes.values()) <= {textures.normal.shape[:2]}
    with pytest.raises(KeyError):
        make_maps(["no map"], photo, estimate, textures)


def test_the_extension_expects_the_arrays_that_the_maps_declare():
    from hffne_blender.numeric.received_face import MAP_TYPES as EXPECTED

    declared = {name: spec for one in MAPS.values() for name, spec in one.gives.items()}
    assert {name: (np.dtype(kind).name, *rest) for name, (kind, *rest) in EXPECTED.items()} == {
        name: (spec.dtype, spec.channels, spec.texture_size) for name, spec in declared.items()
    }


def test_nothing_is_made_that_was_not_requested(made):
    _, textures, estimate = made
    only = make_maps(["curvature"], SimpleNamespace(rgb=None), estimate, textures)
    assert set(only) == {"curvature"}
    assert make_maps([], SimpleNamespace(rgb=None), estimate, textures) == {}


def test_any_size(made, size=301):
    _, _textures, estimate = made
    again = unwrap(
        estimate.shape,
        project(estimate.shape.position_map(), 256),
        estimate.normal,
        np.full((320, 320, 3), 99, np.uint8),
        estimate.crop,
        size,
    )
    maps = make_maps(
        ["height", "roughness", "occlusion", "curvature", "albedo"], SimpleNamespace(rgb=None), estimate, again
    )
    assert {array.shape[:2] for array in maps.values()} == {(size, size)}


def test_pores_are_fine_steep_as_skin_and_of_the_region(shape):
    surface = uv_surface(shape, 256)
    regions = template().regions
    size = 2048
    plain = normalize(np.repeat(np.repeat(surface.normal, 8, 0), 8, 1)).astype(np.float32)
    found = decoded(pores(surface, plain, regions))
    tilt = np.sqrt(np.square(found - plain).sum(2))
    side = size // len(regions["nose"])

    def steep(name, amount=tilt):
        part = np.kron(regions[name], np.ones((side, side), bool))
        return float(np.sqrt(np.square(amount[part]).mean()))

    assert 0.02 < steep("cheeks") < steep("nose") < 0.12 and steep("eyes") < 0.8 * steep("cheeks")
    # Finer than the photo's detail: hardly anything is left of them over a millimeter, or on a small texture.
    texel = surface.texel / 8
    broad = cv2.GaussianBlur(found - plain, (0, 0), 0.001 / texel)
    assert steep("cheeks", np.sqrt(np.square(broad).sum(2))) < 0.25 * steep("cheeks")
    small = decoded(pores(surface, surface.normal, regions)) - surface.normal
    assert np.abs(small).mean() < 0.3 * np.abs(found - plain).mean()
    outside = cv2.dilate((surface.mask > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    assert np.abs(found - plain)[np.kron(outside, np.ones((8, 8), bool))].max() < 1e-3


def test_pores_know_no_seams_of_the_uv_map():
    """The pattern lies in space: skin that moves by its period has the same pores, wherever its texels are."""
    surface, _ = cap(256, 0.08, 0.4)
    regions = {"cheeks": np.ones((16, 16), bool)}
    moved = replace(surface, points=surface.points + np.float32([SIDE, 0, -2 * SIDE]))
    flipped = replace(
        surface, **{name: getattr(surface, name)[:, ::-1] for name in ("points", "normal", "right", "down", "mask")}
    )
    first = decoded(pores(surface, surface.normal, regions))
    assert np.allclose(decoded(pores(moved, surface.normal, regions)), first, atol=2e-3)
    assert np.allclose(decoded(pores(flipped, flipped.normal, regions))[:, ::-1], first, atol=2e-3)
    assert np.abs(first - surface.normal).mean() > 0.003
