# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures from photo pixels: visible texels keep the photo, the others are completed without a seam."""

import numpy as np
import pytest

from hffne.geometry.base_shape import fit_base_shape
from hffne.geometry.grids import fill_gaps, sample
from hffne.geometry.mesh import build_mesh
from hffne.geometry.project import project
from hffne.geometry.unwrap import unwrap
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.photo.crop import Crop
from posed_head import position_map, ripples, turned

# A photo on which the crop lies off the middle and off the pixel grid.
CROP = Crop(210.5, 190.25, 320.0, 256)
HEIGHT, WIDTH = 400, 420


def scene(yaw, pitch=0, roll=0, strength=0.25):
    shape = fit_base_shape(position_map(turned(yaw, pitch, roll)))
    drawn = project(shape.position_map(), 256)
    smooth = normalize(fill_gaps(drawn.normal, drawn.mask.astype(np.float32))).astype(np.float32)
    return shape, drawn, ripples(smooth, strength)


def painted(shape, paint, background=(10, 240, 10)):
    """A photo (HEIGHT, WIDTH, 3) on which the head wears `paint`, a function of u and v (..., 3) in 0..255."""
    rows, columns = np.indices((HEIGHT, WIDTH)).astype(np.float32)
    at = CROP.to_crop(np.stack([columns, rows], -1))
    drawn = project(shape.position_map(), 512)
    i, j = (np.clip(np.round((at[..., k] + 0.5) * 2 - 0.5), 0, 511).astype(int) for k in (1, 0))
    uv, visible = drawn.uv[i, j], drawn.mask[i, j]
    return np.where(visible[..., None], paint(uv[..., 0], uv[..., 1]), background).astype(np.uint8)


def smooth_paint(u, v):
    return np.stack([80 + 60 * np.sin(9 * u) * v, 90 + 50 * np.cos(7 * v + 4 * np.abs(u - 0.5)), 60 + 100 * v], -1)


def even_paint(u, v):
    """The same on both sides."""
    return smooth_paint(np.abs(u - 0.5), v)


def texel_uv(size):
    at = (np.arange(size) + 0.5) / size
    return np.meshgrid(at, 1 - at)


def angle_between(a, b):
    return np.degrees(np.arccos(np.clip((a * b).sum(-1), -1, 1)))


@pytest.mark.parametrize("pose", [(0, 0, 0), (25, -10, 12), (-40, 5, 0)])
def test_the_mesh_with_the_texture_shows_what_the_camera_saw(pose):
    shape, drawn, normal = scene(*pose)
    textures = unwrap(shape, drawn, normal, painted(shape, smooth_paint), CROP, 512)
    mesh = build_mesh(shape, 128)
    camera = mesh.vertices @ shape.rotation.T * shape.scale
    x, y = shape.center[0] + camera[:, 0], shape.center[1] - camera[:, 1]
    texel = np.stack([(1 - mesh.uvs[:, 1]) * 512 - 0.5, mesh.uvs[:, 0] * 512 - 0.5], 1)
    sure = sample(textures.confidence[..., None], texel)[:, 0] > 0.97
    assert sure.mean() > 0.3
    in_camera = normalize(sample(textures.normal, texel)) @ shape.rotation.T
    wanted = normalize(sample(normal, np.stack([y, x], 1)))
    error = angle_between(in_camera, wanted)[sure]
    assert error.mean() < 1.0 and np.percentile(error, 99) < 5


@pytest.mark.parametrize("yaw", [0, 30])
def test_round_trip_without_rounding(yaw):
    shape, drawn, normal = scene(yaw, strength=0.0)
    textures = unwrap(shape, drawn, normal, painted(shape, smooth_paint), CROP, 256)
    u, v = drawn.uv[drawn.mask].T
    row = np.clip(np.round((1 - v) * 256 - 0.5), 0, 255).astype(int)
    column = np.clip(np.round(u * 256 - 0.5), 0, 255).astype(int)
    sure = textures.confidence[row, column] > 0.97
    error = angle_between(textures.normal[row, column] @ shape.rotation.T, normal[drawn.mask])[sure]
    assert error.mean() < 1.0


@pytest.mark.parametrize("size", [256, 512, 1000])
def test_colors_lie_where_they_belong(size):
    shape, drawn, normal = scene(10)
    textures = unwrap(shape, drawn, normal, painted(shape, smooth_paint), CROP, size)
    assert textures.color.dtype == np.uint8 and textures.color.shape == (size, size, 3)
    error = np.abs(textures.color.astype(float) - smooth_paint(*texel_uv(size))).max(2)
    assert np.percentile(error[textures.confidence > 0.97], 95) < 6


def test_sixteen_bit_photos_give_the_same_colors():
    shape, drawn, normal = scene(10)
    photo = painted(shape, smooth_paint)
    eight = unwrap(shape, drawn, normal, photo, CROP, 256).color
    sixteen = unwrap(shape, drawn, normal, photo.astype(np.uint16) * 257, CROP, 256).color
    assert np.abs(eight.astype(int) - sixteen).max() <= 1


def test_normals_are_unit_and_everything_is_filled():
    shape, drawn, normal = scene(50)
    textures = unwrap(shape, drawn, normal, painted(shape, smooth_paint), CROP, 256)
    assert textures.normal.dtype == textures.confidence.dtype == np.float32
    assert np.allclose(np.linalg.norm(textures.normal, axis=2), 1, atol=1e-4)
    assert textures.confidence.min() >= 0 and textures.confidence.max() <= 1
    mask = np.kron(template().mask, np.ones((2, 2), bool))
    assert textures.confidence[~mask].max() < 0.6 and textures.confidence[0, 0] == 0


def test_confidence_knows_what_is_turned_away_and_what_is_hidden():
    shape, drawn, normal = scene(55)
    textures = unwrap(shape, drawn, normal, painted(shape, smooth_paint), CROP, 128)
    # The face looks to the viewer's right, so the texture's right side is the far one.
    assert textures.confidence[50:90, 20:45].mean() > 0.9
    assert textures.confidence[50:90, 95:].max() < 0.05
    # Beside the nose on the far side: turned to the viewer enough, but behind the nose.
    points = shape.position_map()
    hidden = (textures.confidence < 0.2) & template().mask
    behind = points[62:68, 70:78].reshape(-1, 3)
    drawn_depth = drawn.depth[np.round(behind[:, 1]).astype(int), np.round(behind[:, 0]).astype(int)]
    assert (drawn_depth - behind[:, 2] > 6).any() and hidden[62:68, 70:78].any()


def test_the_unseen_side_takes_the_seen_side_mirrored():
    shape, drawn, normal = scene(55)
    textures = unwrap(shape, drawn, normal, painted(shape, even_paint), CROP, 256)
    far = (textures.confidence < 0.02) & (textures.confidence[:, ::-1] > 0.98)
    assert far.mean() > 0.15
    error = np.abs(textures.color.astype(float) - even_paint(*texel_uv(256))).max(2)
    assert np.percentile(error[far], 90) < 20
    mirrored = textures.normal[:, ::-1] * [-1, 1, 1]
    assert np.median(angle_between(textures.normal, mirrored)[far]) < 4


def test_the_unseen_side_is_lit_like_what_is_around_it():
    shape, drawn, normal = scene(35)

    def paint(u, v):  # darker and darker to the far side
        return even_paint(u, v) * (1 - 0.5 * np.clip(u - 0.3, 0, 0.4) / 0.4)[..., None]

    color = unwrap(shape, drawn, normal, painted(shape, paint), CROP, 256).color.astype(float)
    # Across the border between visible and completed texels there is no step, whatever the sides' light.
    steps = np.abs(np.diff(color[90:200, 30:226].mean(2), axis=1))
    assert steps.max() < 9


def test_a_background_behind_the_outline_does_not_shine_in():
    shape, drawn, normal = scene(40)
    textures = unwrap(shape, drawn, normal, painted(shape, even_paint, (10, 255, 10)), CROP, 256)
    mask = np.kron(template().mask, np.ones((2, 2), bool))
    green = textures.color[..., 1].astype(float) - textures.color[..., 0]
    assert np.percentile(green[mask], 99.5) < 120


def test_what_lies_off_the_photo_is_not_believed():
    shape, drawn, normal = scene(0)
    half = painted(shape, smooth_paint)[:, :215]  # the right half of the face is cut off
    textures = unwrap(shape, drawn, normal, half, CROP, 128)
    assert textures.confidence[40:90, 30:55].mean() > 0.9
    assert textures.confidence[:, 72:].max() < 0.05
    error = np.abs(textures.color.astype(float) - smooth_paint(*texel_uv(128))).max(2)
    assert np.isfinite(error).all()


def test_a_frontal_normal_texture_has_no_seam_in_the_middle():
    shape, drawn, normal = scene(0, strength=0.0)
    textures = unwrap(shape, drawn, normal, painted(shape, smooth_paint), CROP, 256)
    forehead = textures.normal[20:70, 100:156]
    assert angle_between(forehead[:, 1:], forehead[:, :-1]).max() < 4
