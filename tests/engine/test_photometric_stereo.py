# SPDX-License-Identifier: GPL-3.0-or-later
"""Photometric stereo where the truth is known: a sphere by formula, and a ray-traced head with cast shadows."""

import numpy as np
import pytest

from hffne.errors import HffneError
from hffne.evaluation.metrics import angles
from hffne.geometry.photometric_stereo import light_directions, photometric_stereo, polar_directions

FOUR = polar_directions([42] * 4, [-45, 45, 135, 225])
SIX = light_directions([0, 0, -20, -35, 35, 60], [0, 45, -40, 15, 15, 20])
MANY = light_directions(*np.meshgrid([-50, -25, 0, 25, 50], [-30, 0, 30])).reshape(-1, 3)


def sphere(size=96):
    """Normals (S, S, 3) and the mask of a ball that fills the picture."""
    x, y = np.meshgrid(np.linspace(-1, 1, size), np.linspace(1, -1, size))
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0))
    return np.dstack([x, y, z]), z > 0.2


def painted(size=96):
    """An albedo (S, S) with texture, 0.3 to 0.7."""
    row, column = np.indices((size, size))
    return 0.5 + 0.2 * np.sin(row / 7) * np.cos(column / 5)


def glossy(normals, lights, albedo, shine=0.0, power=25):
    """(L, S, S): matte shading with attached shadows, and Blinn-Phong highlights."""
    half = lights + np.array([0, 0, 1])
    half = half / np.linalg.norm(half, axis=1, keepdims=True)
    matte = np.clip(np.einsum("hwi,li->lhw", normals, lights), 0, None)
    mirror = np.clip(np.einsum("hwi,li->lhw", normals, half), 0, None) ** power
    return albedo * matte + shine * mirror * (matte > 0)


def plain(photos, lights):
    """What is compared with: least squares over all lights, as the textbook has it."""
    scaled = np.tensordot(np.linalg.pinv(lights), photos, 1).transpose(1, 2, 0)
    return scaled / np.linalg.norm(scaled, axis=2, keepdims=True)


@pytest.mark.parametrize("lights", [FOUR[:3], FOUR, MANY], ids=["three", "four", "fifteen"])
def test_a_matte_sphere_is_exact_where_three_lights_see_it(lights):
    normals, inside = sphere()
    albedo = painted()
    photos = glossy(normals, lights, albedo)
    relief = photometric_stereo(photos, lights)
    lit = inside & ((photos > 0.1 * photos.max(0)).sum(0) >= 3)
    assert lit.mean() > 0.4 and relief.mask[lit].all()
    assert angles(relief.normal, normals)[lit].max() < 0.05
    assert np.abs(relief.albedo - albedo)[lit].max() < 1e-3
    assert np.abs(np.linalg.norm(relief.normal, axis=2) - relief.mask).max() < 1e-5


def test_attached_shadows_are_left_out():
    normals, inside = sphere()
    photos = glossy(normals, FOUR, painted())
    shaded = inside & ((photos == 0).sum(0) == 1) & ((photos > 0.1 * photos.max(0)).sum(0) == 3)
    assert shaded.sum() > 300
    relief = photometric_stereo(photos, FOUR)
    assert relief.mask[shaded].all() and not relief.used[:, shaded].all(0).any()
    assert angles(relief.normal, normals)[shaded].max() < 0.05
    # And that is not for free: the textbook's way is wrong there.
    assert angles(plain(photos, FOUR), normals)[shaded].mean() > 2


def test_two_lights_tell_nothing():
    normals, _ = sphere()
    photos = glossy(normals, FOUR, painted())
    photos[:2, 40:50] = 0
    relief = photometric_stereo(photos, FOUR)
    assert not relief.mask[40:50].any() and not relief.normal[40:50].any()


@pytest.mark.parametrize("lights,worst", [(FOUR, 3.0), (MANY, 1.0)], ids=["four", "fifteen"])
def test_a_cast_shadow_with_some_light_left_in_it(lights, worst):
    normals, inside = sphere()
    photos = glossy(normals, lights, painted())
    place = np.zeros_like(inside)
    place[30:60, 25:75] = True
    photos[1, place] *= 0.3
    # With four lights, a face that a second one barely grazes could as well be that one's shadow.
    lit = inside & (photos > 0.1).all(0) & place & (photos[1] < 0.8 * np.delete(photos, 1, 0).min(0))
    relief = photometric_stereo(photos, lights)
    error, textbook = angles(relief.normal, normals)[lit], angles(plain(photos, lights), normals)[lit]
    assert lit.sum() > 400 and np.percentile(error, 95) < worst and error.mean() < textbook.mean() / 4


@pytest.mark.parametrize("lights", [FOUR, MANY], ids=["four", "fifteen"])
def test_highlights_are_left_out(lights):
    normals, inside = sphere()
    photos = np.clip(glossy(normals, lights, painted(), shine=0.5, power=40), 0, 1)
    matte = glossy(normals, lights, painted())
    shiny = inside & (photos - matte > 0.1).any(0)
    relief = photometric_stereo(photos, lights)
    error, textbook = angles(relief.normal, normals)[shiny], angles(plain(photos, lights), normals)[shiny]
    assert shiny.sum() > 150 and relief.mask[shiny].mean() > 0.95
    assert error.mean() < textbook.mean() / 2 and np.median(error) < 2


def test_noise_is_no_reason_to_leave_lights_out():
    normals, inside = sphere()
    photos = glossy(normals, MANY, painted())
    noisy = np.round(np.clip(photos + np.random.default_rng(0).normal(0, 0.004, photos.shape), 0, 1) * 255) / 255
    relief = photometric_stereo(noisy, MANY)
    lit = inside & (photos > 0.1).all(0)
    assert relief.used[:, lit].mean() > 0.97 and angles(relief.normal, normals)[lit].mean() < 0.5


@pytest.mark.parametrize("lights", [FOUR, SIX, MANY], ids=["four", "six", "fifteen"])
def test_real_lights_and_skin_are_no_reason_either(lights):
    # Directions some degrees off, strengths 15 % off, a surface flatter than Lambert's, a little ambient light.
    normals, inside = sphere()
    random = np.random.default_rng(1)
    moved = lights + random.normal(0, 0.05, lights.shape)
    matte = glossy(normals, moved / np.linalg.norm(moved, axis=1, keepdims=True), painted())
    photos = matte**0.85 * random.uniform(0.85, 1.15, (len(lights), 1, 1)) + 0.02
    relief = photometric_stereo(np.round(photos * 0.8 * 255) / 255, lights)
    lit = inside & (matte > 0.1).all(0)
    error, textbook = angles(relief.normal, normals)[lit].mean(), angles(plain(photos, lights), normals)[lit].mean()
    assert lit.sum() > 500 and textbook > 3 and error < 1.1 * textbook


def test_the_strength_of_a_light_is_its_length():
    normals, inside = sphere()
    lights = FOUR * np.array([[1.0], [0.7], [1.2], [0.5]])
    photos = glossy(normals, FOUR, painted()) * np.array([1.0, 0.7, 1.2, 0.5])[:, None, None]
    relief = photometric_stereo(photos, lights, saturation=2)
    lit = inside & (photos > 0.1).all(0)
    assert angles(relief.normal, normals)[lit].max() < 0.05


@pytest.mark.parametrize("lights", [FOUR, MANY], ids=["four", "fifteen"])
def test_a_ray_traced_head_with_cast_shadows_and_highlights(lights):
    pytest.importorskip("embreex")
    normals, photos, visible = traced_head(lights)
    relief = photometric_stereo(np.round(np.clip(photos, 0, 1) * 255) / 255, lights)
    ready = visible & relief.mask
    error, textbook = angles(relief.normal, normals)[ready], angles(plain(photos, lights), normals)[ready]
    assert ready.sum() > 0.6 * visible.sum()
    assert error.mean() < 2.5 and error.mean() < textbook.mean() / 2


def traced_head(lights, size=128):
    """The ellipsoid head with a nose that casts shadows: normals (S, S, 3), photos (L, S, S), mask (S, S)."""
    from ellipsoid_model import AXES, ellipsoid_model
    from hffne.synthesis.rays import RayScene
    from hffne.synthesis.render import vertex_normals
    from hffne.synthesis.uv_layout import CENTER

    model = ellipsoid_model()
    vertices = (model.neutral - CENTER).astype(np.float32)
    nose = np.exp(-((vertices[:, 0] / 1.6) ** 2 + ((vertices[:, 1] + 1) / 2.2) ** 2)) * (vertices[:, 2] > 0)
    vertices[:, 2] += (4.5 * nose).astype(np.float32)
    smooth = vertex_normals(vertices, model.triangles)
    if (smooth * vertices).sum() < 0:
        smooth = -smooth
    axis = (np.arange(size) + 0.5) / size * 24 - 12
    x, y = np.meshgrid(axis, -axis)
    scene = RayScene(vertices, model.triangles)
    index, weights, _ = scene.first_hit(
        np.stack([x.ravel(), y.ravel(), np.full(x.size, 60.0)], 1), np.broadcast_to([0.0, 0, -1], (x.size, 3))
    )
    hit = np.flatnonzero(index >= 0)
    corners, weights = model.triangles[index[hit]], weights[hit][..., None]
    normal = (smooth[corners] * weights).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    points = (vertices[corners] * weights).sum(1) + normal * 0.05
    normals = np.zeros((size * size, 3))
    normals[hit] = normal
    normals = normals.reshape(size, size, 3)
    photos = glossy(normals, lights, painted(size), shine=0.35, power=30).reshape(len(lights), -1)
    cast = 0
    for number, light in enumerate(lights):
        dark = scene.blocked(points, light)
        cast += (dark & (normal @ light > 0.1)).sum()
        photos[number, hit[dark]] = 0
    assert cast > 100, "the nose must cast shadows, or this tests nothing"
    assert vertices[:, 0].max() <= AXES[0] + 0.1
    return normals, photos.reshape(len(lights), size, size), normals[..., 2] > 0.3


def test_lights_that_tell_nothing_are_refused():
    photos = np.full((4, 8, 8), 0.5)
    plane = polar_directions([10, 20, 30, 40], [0] * 4)
    for lights, given in (
        (plane, photos),
        (FOUR[:2], photos[:2]),
        (FOUR[:3], photos),
        (FOUR * np.nan, photos),
        (FOUR, photos * np.nan),
    ):
        with pytest.raises(HffneError) as caught:
            photometric_stereo(given, lights)
        assert caught.value.code == "bad_lights"


def test_directions_by_their_names():
    assert np.allclose(light_directions([0, 90, 0], [0, 0, 90]), [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-9)
    assert np.allclose(polar_directions([0, 90, 90], [0, 0, 90]), [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-9)
