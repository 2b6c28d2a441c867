# SPDX-License-Identifier: GPL-3.0-or-later
"""A photo's color and relief on the head's UVs: what is visible is the photo's, the rest is the person's skin."""

from types import SimpleNamespace

import numpy as np
import pytest

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.face_parts import WIDE, FaceParts
from hffne.geometry.grids import sample
from hffne.head.build import head_textures
from hffne.head.fitted import fit_head
from hffne.head.layout import HeadLayout
from hffne.head.model import PARTS, head_model
from hffne.head.mouth import mouth
from hffne.head.mouth_colors import inside_of_mouth
from hffne.head.skin import raster, skin
from hffne.head.skin_tone import fit_skin_tone
from hffne.parts import CLOTH, HAIR, SKIN
from painted_head import (
    CROP,
    SIZE,
    TONE,
    base_shape,
    even_paint,
    mean_head,
    photograph,
    relief,
    skin_paint,
    texel_values,
    unwrapped,
)


def angle_between(a, b):
    return np.degrees(np.arccos(np.clip((a * b).sum(-1), -1, 1)))


@pytest.fixture(scope="module")
def head():
    return mean_head()


@pytest.fixture(scope="module")
def frontal(head):
    photo, estimate = photograph(head, base_shape())
    return unwrapped(head, estimate, photo, 512)


@pytest.mark.parametrize("pose", [(0, 0, 0), (25, -10, 12)])
def test_visible_texels_have_the_photos_color_and_normal(head, pose):
    photo, estimate = photograph(head, base_shape(*pose))
    textures = unwrapped(head, estimate, photo, 512)
    points, normals, inside = texel_values(head, 512)
    sure = inside & (textures.confidence > 0.97)
    assert sure.sum() > 0.12 * inside.sum()
    error = np.abs(textures.color.astype(float) - skin_paint(points)).max(2)
    assert np.percentile(error[sure], 95) < 4
    # Well within the mask of the estimated normals, without edges finer than its pixels.
    middle = sure & (np.hypot(*np.moveaxis(around_texels(512), -1, 0)) < 0.6)
    for name in ("eyes", "lips", "nose"):
        middle &= ~np.kron(HeadLayout(head).regions[name], np.ones((2, 2), bool))
    error = angle_between(textures.normal, relief(points, normals))[middle]
    assert middle.sum() > 10_000 and error.mean() < 0.5 and np.percentile(error, 95) < 2


def around_texels(size):
    return raster(size).interpolated(skin().around[skin().of_point], 9.0)


@pytest.mark.parametrize("size", [256, 600, 2048])
def test_every_size_shows_the_same(head, frontal, size):
    photo, estimate = photograph(head, base_shape())
    textures = unwrapped(head, estimate, photo, size)
    assert textures.color.shape == (size, size, 3) and textures.color.dtype == np.uint8
    assert textures.normal.dtype == textures.confidence.dtype == np.float32
    assert np.allclose(np.linalg.norm(textures.normal, axis=2), 1, atol=1e-4)
    assert textures.confidence.min() >= 0 and textures.confidence.max() <= 1
    at = np.random.default_rng(1).uniform(0.3, 0.7, (500, 2)) * [0.8, 1]
    ours = sample(textures.color.astype(float), at * size - 0.5)
    assert np.percentile(np.abs(ours - sample(frontal.color.astype(float), at * 512 - 0.5)), 90) < 5


def test_sixteen_bit_photos_give_the_same_colors(head, frontal):
    photo, estimate = photograph(head, base_shape())
    sixteen = unwrapped(head, estimate, photo.astype(np.uint16) * 257, 512)
    assert np.abs(sixteen.color.astype(int) - frontal.color).max() <= 1


def test_the_hidden_side_takes_the_visible_side_mirrored(head):
    photo, estimate = photograph(head, base_shape(), even_paint)
    photo = photo[:, : SIZE // 2]  # the right half of the face is cut off
    textures = unwrapped(head, estimate, photo, 512)
    points, _, inside = texel_values(head, 512)
    far = inside & (textures.confidence < 0.01) & (textures.confidence[:, ::-1] > 0.99)
    assert far.sum() > 8000
    error = np.abs(textures.color.astype(float) - even_paint(points)).max(2)
    assert np.percentile(error[far], 95) < 12
    mirrored = textures.normal[:, ::-1] * [-1, 1, 1]
    assert np.median(angle_between(textures.normal, mirrored)[far]) < 2


@pytest.mark.parametrize("yaw", [0, 40])
def test_no_seam_between_charts(head, yaw):
    photo, estimate = photograph(head, base_shape(yaw))
    size = 1024
    textures = unwrapped(head, estimate, photo, size)
    layout = skin()
    order = np.argsort(layout.of_point, kind="stable")
    same = layout.of_point[order][1:] == layout.of_point[order][:-1]
    first, second = order[1:][same], order[:-1][same]
    assert len(first) > 300

    def at(texture, point):
        return sample(texture, (layout.uv[point] * [1, -1] + [0, 1])[:, ::-1] * size - 0.5)

    step = np.abs(at(textures.color.astype(float), first) - at(textures.color.astype(float), second))
    assert step.mean() <= 2
    assert np.median(angle_between(at(textures.normal, first), at(textures.normal, second))) < 2


def test_hair_collar_and_background_do_not_color_the_head(head):
    hair, collar = np.array([40, 30, 60.0]), np.array([250, 250, 250.0])

    def paint(points):
        color = skin_paint(points)
        color[points[..., 2] > 0.065] = hair
        color[points[..., 2] < -0.11] = collar
        return color

    def part(points):
        return np.select([points[..., 2] > 0.065, points[..., 2] < -0.11], [HAIR, CLOTH], SKIN)

    photo, estimate = photograph(head, base_shape(15), paint, part=part)
    textures = unwrapped(head, estimate, photo, 512)
    points, _, inside = texel_values(head, 512)
    head_only = inside & (raster(512).interpolated((skin().chart <= 2).astype(float)[:, None])[..., 0] > 0.5)
    color = textures.color.astype(float)
    back = head_only & (points[..., 1] > 0.03)
    assert back.sum() > 10_000
    assert np.abs(color[back] - TONE).mean() < 15
    # Nowhere green, and blue or white only in the soft border.
    ratio = color[..., 1] / np.maximum(color[..., 0], 1)
    assert np.percentile(ratio[head_only], 99.9) < 0.95
    scalp = head_only & (points[..., 2] > 0.085)
    assert np.percentile(np.abs(color[scalp] - TONE).max(1), 99) < 60
    assert textures.confidence[scalp].max() < 0.1
    neck = head_only & (points[..., 2] < -0.13)
    assert np.percentile(np.abs(color[neck] - TONE).max(1), 99) < 60


def test_a_beard_stays(head):
    def paint(points):
        x, y, z = np.moveaxis(points, -1, 0)
        dark = np.clip((np.abs(x[..., None]) - 0.045) / 0.02, 0, 1) * 0.6  # skin beside the outline
        color = skin_paint(points) * (1 - dark) + 70 * dark
        color[(z < -0.03) & (z > -0.11) & (y < 0)] = [60, 45, 40]
        return color

    photo, estimate = photograph(head, base_shape(), paint)
    textures = unwrapped(head, estimate, photo, 512)
    points, _, _ = texel_values(head, 512)
    at = around_texels(512)
    chin = (np.abs(at[..., 0]) < 0.3) & (points[..., 2] < -0.06) & (at[..., 1] > -0.65) & (at[..., 1] < -0.3)
    assert chin.sum() > 500 and textures.color[chin].mean() < 70
    # Without light, too, and beside the outline, where skin is made brighter.
    estimate.gain = np.zeros((WIDE, WIDE, 3), np.float32)
    unlit = unwrapped(head, estimate, photo, 512, True)
    beard = (textures.color.max(-1) < 75) & (textures.confidence > 0.3)
    change = np.abs(unlit.color.astype(int) - textures.color).max(-1)[beard]
    assert beard.sum() > 3000 and np.percentile(change, 95) < 10


@pytest.mark.parametrize("bearded", [False, True])
def test_what_is_dark_beside_the_border_is_no_stain(head, bearded):
    """Strands taken for skin beside hair, the dark of an ear or a collar; a beard stays up to its border."""

    def dark(points):
        x, y, z = np.moveaxis(points, -1, 0)
        strand = (z > 0.045) & (z < 0.058) & (np.abs(x - 0.03) < 0.01)
        return strand | ((z < -0.05) & (np.abs(x) > 0.045) & (y < 0.0))

    def paint(points):
        color = skin_paint(points)
        color[dark(points)] = [70, 35, 30]
        if bearded:
            color[(points[..., 2] < -0.05) & (points[..., 1] < 0)] = [70, 35, 30]
        return color

    photo, estimate = photograph(head, base_shape(), paint, part=lambda p: np.where(p[..., 2] > 0.058, HAIR, SKIN))
    textures, plain = (unwrapped(head, estimate, each, 512) for each in (photo, photograph(head, base_shape())[0]))
    points, _, inside = texel_values(head, 512)
    strand = inside & dark(points) & (points[..., 2] > 0.05)
    jaw = inside & dark(points) & (points[..., 2] < -0.05) & (points[..., 2] > -0.08) & (plain.confidence > 0.5)
    assert strand.sum() > 100 and jaw.sum() > 200
    error = np.abs(textures.color.astype(float) - TONE).max(-1)
    assert np.median(error[strand]) < 45
    assert (np.median(error[jaw]) < 45) != bearded


def test_colors_without_light_are_not_gray_beside_the_outline(head):
    """Pixels at the outline are darker and grayer than their light alone explains."""

    def paint(points):
        share = np.clip((np.abs(points[..., :1]) - 0.045) / 0.02, 0, 1) * 0.6
        return skin_paint(points) * (1 - share) + 70 * share

    photo, estimate = photograph(head, base_shape(), paint)
    estimate.gain = np.zeros((WIDE, WIDE, 3), np.float32)
    points, _, inside = texel_values(head, 512)
    lit, unlit = (unwrapped(head, estimate, photo, 512, unlit) for unlit in (False, True))
    side = inside & (lit.confidence > 0.2) & (np.abs(points[..., 0]) > 0.062) & (np.abs(points[..., 2]) < 0.06)
    middle = inside & (lit.confidence > 0.97) & (np.abs(points[..., 0]) < 0.03)
    assert side.sum() > 300 and middle.sum() > 10_000
    before, after = (np.abs(each.color[side].mean(0) - skin_paint(points)[side].mean(0)).max() for each in (lit, unlit))
    assert before > 50 and after < 0.5 * before
    # What faces the camera stays; nostrils do not.
    change = np.abs(unlit.color[middle].astype(int) - lit.color[middle]).max(1)
    assert np.percentile(change, 95) <= 1 and change.max() < 10


def test_what_is_seen_does_not_depend_on_the_light_that_is_taken_out(head):
    """Teeth in the shadow of a lip would else be taken for the lip."""

    def paint(points):
        x, y, z = np.moveaxis(points, -1, 0)
        color = skin_paint(points)
        color[(np.abs(x) < 0.02) & (np.abs(z + 0.043) < 0.005) & (y < 0)] = [120, 110, 95]  # teeth between the lips
        return color

    photo, estimate = photograph(head, base_shape(), paint)
    estimate.gain = np.zeros((WIDE, WIDE, 3), np.float32)
    estimate.gain[..., 0] = 0.5
    lit, unlit = (unwrapped(head, estimate, photo, 256, unlit) for unlit in (False, True))
    assert np.array_equal(lit.confidence, unlit.confidence)


def test_what_is_within_has_no_confidence(head, frontal):
    sockets = raster(512).interpolated((skin().chart > 2).astype(float)[:, None])[..., 0] > 0.5
    assert frontal.confidence[sockets].max() == 0
    mesh = head_model().mesh
    mouth = np.zeros(len(mesh.vertices), bool)
    mouth[np.unique(mesh.quads[mesh.quad_parts == PARTS.index("Mouth")])] = True
    lips = np.flatnonzero(mouth[skin().vertices[skin().of_point]])
    at = (skin().uv[lips] * [1, -1] + [0, 1])[:, ::-1] * 512 - 0.5
    assert sample(frontal.confidence[..., None], at).max() < 0.1
    # Reddish behind the lids.
    red = frontal.color[sockets].astype(float)
    assert (red[:, 0] / red[:, 1]).mean() > 1.1 * TONE[0] / TONE[1]


def test_an_ear_behind_the_cheek_is_not_visible(head):
    photo, estimate = photograph(head, base_shape(35))
    textures = unwrapped(head, estimate, photo, 512)
    points, _, inside = texel_values(head, 512)
    near, far = (inside & (side * points[..., 0] > 0.072) & (points[..., 1] < 0.02) for side in (-1, 1))
    assert textures.confidence[far].max() < 0.05 and textures.confidence[near].max() > 0.5


def test_a_flipped_photo_gives_a_flipped_texture(head):
    even = (head + head[head_model().mirror] * [-1, 1, 1]).astype(np.float32) / 2
    shape = base_shape(20, 5, 0)
    photo, estimate = photograph(even, shape)
    flip = np.diag([-1.0, 1, 1])
    flipped_shape = BaseShape(
        shape.points[:, ::-1] * np.float32([-1, 1, 1]), flip @ shape.rotation @ flip, shape.scale, (127.5, 127.5), 0.0
    )
    flipped = SimpleNamespace(
        shape=flipped_shape,
        crop=CROP.__class__(SIZE - CROP.center_x, CROP.center_y, CROP.side, 256),
        normal=estimate.normal[:, ::-1] * np.float32([-1, 1, 1]),
        mask=estimate.mask[:, ::-1],
        parts=FaceParts(estimate.parts.shares[:, :, ::-1]),
    )
    one = unwrapped(even, estimate, photo, 512)
    other = unwrapped(even, flipped, np.ascontiguousarray(photo[:, ::-1]), 512)
    inside = texel_values(even, 512)[2]
    assert np.abs(one.color.astype(float) - other.color[:, ::-1])[inside].mean() < 1
    assert np.abs(one.confidence - other.confidence[:, ::-1])[inside].mean() < 0.01
    assert angle_between(one.normal, other.normal[:, ::-1] * [-1, 1, 1])[inside].mean() < 0.3


def test_two_photos_show_both_sides():
    views = []
    for yaw in (-35, 35):
        shape = base_shape(yaw)
        views.append(photograph(fit_head(shape).posed, shape))
    alone = [head_textures([view], 256) for view in views]
    both = head_textures(views, 256)
    assert both.reference in (0, 1)
    assert both.textures.confidence.mean() > 1.15 * max(one.textures.confidence.mean() for one in alone)
    points, _, inside = texel_values(both.head.posed, 256)
    sure = inside & (both.textures.confidence > 0.97)
    error = np.abs(both.textures.color.astype(float) - skin_paint(points)).max(2)
    assert np.percentile(error[sure], 90) < 12


def test_teeth_and_the_inside_of_a_mouth_are_told_from_lips():
    """On any skin; what is pale or dark elsewhere on the face stays."""
    layout, around = skin(), mouth()
    place = around.place[layout.vertices]
    to_lips = np.where(place >= 0, around.to_lips[place], 1.0)
    for tone in ([0.85, 0.65, 0.55], [0.45, 0.30, 0.22]):
        colors = np.tile(np.array(tone, np.float32), (len(layout.vertices), 1))
        model = fit_skin_tone(colors, np.ones(len(colors)))
        lips = to_lips < 0.005
        colors[to_lips > 0.03] = 0.9
        for color, expected in (([0.92, 0.88, 0.80], 1), ([0.05, 0.03, 0.03], 1), ([0.75, 0.38, 0.38], 0), (tone, 0)):
            colors[lips] = color
            found = inside_of_mouth(colors, model)
            assert np.abs(found[to_lips < 0.003] - expected).max() < 0.1
            assert found[to_lips > 0.025].max() < 0.01
