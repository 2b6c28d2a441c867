# SPDX-License-Identifier: GPL-3.0-or-later
"""Several photos of one face as one: each side comes from the photo that shows it."""

import numpy as np
import pytest

from hffne.geometry.base_shape import BaseShape, meters_per_unit
from hffne.geometry.grids import surface_normals
from hffne.geometry.multi_photo import merge_textures
from hffne.geometry.shared_fit import share_fit
from hffne.geometry.textures import Textures
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize, similarity

SIZE = 256


def shape():
    x, y, z = np.moveaxis(template().mean.astype(np.float32), -1, 0)
    points = np.stack([x, -z, y], -1).astype(np.float32)
    return BaseShape(points, np.eye(3), 900.0, (128.0, 128.0), 0.0)


def textures(tone, confidence, tilt):
    normal = np.zeros((SIZE, SIZE, 3), np.float32)
    base = surface_normals(shape().points, SIZE)
    normal[:] = normalize(base + np.array(tilt, np.float32))
    color = np.empty((SIZE, SIZE, 3), np.uint8)
    color[:] = tone
    return Textures(normal, color, confidence.astype(np.float32))


@pytest.fixture
def sides():
    """Seen from the left and from the right, with some of the middle on both."""
    across = np.broadcast_to((np.arange(SIZE) + 0.5) / SIZE, (SIZE, SIZE))
    return np.clip((0.6 - across) * 8, 0, 1), np.clip((across - 0.4) * 8, 0, 1)


def test_each_side_comes_from_the_photo_that_saw_it(sides):
    left, right = sides
    one, two = textures((120, 90, 70), left, (0.2, 0, 0)), textures((120, 90, 70), right, (-0.2, 0, 0))
    merged = merge_textures([one, two], 0, [1, 1])
    middle_rows = slice(100, 150)
    for columns, own in ((slice(60, 90), one), (slice(165, 195), two)):
        assert np.abs(merged.normal[middle_rows, columns] - own.normal[middle_rows, columns]).max() < 0.01
    assert np.allclose(np.linalg.norm(merged.normal, axis=2), 1, atol=1e-4)
    assert merged.confidence[:, 20].min() == 1 and merged.confidence[:, -20].min() == 1
    # No step from one photo to the other.
    steps = np.abs(np.diff((merged.normal - one.normal)[60, 60:195], axis=0)).max()
    assert steps < 0.05


def test_the_light_of_the_photos_is_matched(sides):
    left, right = sides
    bright, dark = textures((160, 120, 100), left, (0, 0, 0)), textures((110, 80, 70), right, (0, 0, 0))
    merged = merge_textures([bright, dark], 0, [1, 1])
    row = merged.color[128, 40:216].astype(int)
    # Both ends as the reference's, though 50 levels apart on their photos.
    assert np.abs(row[0] - row[-1]).max() < 8
    assert np.abs(np.diff(row, axis=0)).max() < 6


def seen_from(yaw, points, depth_error=0.0):
    """The shape that a photo from the side gives, deeper by a share of the depth than it is."""
    angle = np.radians(yaw)
    rotation = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    rotation = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]) @ rotation
    toward = rotation[2]
    wrong = points + (points @ toward * depth_error)[..., None] * toward
    return BaseShape((wrong * meters_per_unit(wrong)).astype(np.float32), rotation, 900.0, (128.0, 128.0), 0.0)


def off(points, truth):
    scale, rotation, origin = similarity(points.astype(float), truth.astype(float))
    return np.abs(scale * points @ rotation.T + origin - truth).mean()


def test_photos_share_one_shape_and_each_tells_what_it_sees_across_its_line_of_sight():
    truth = shape().points * meters_per_unit(shape().points)
    found = [seen_from(0, truth, 0.15), seen_from(60, truth, 0.15)]
    weights = [np.ones(truth.shape[:2])] * 2
    shared = share_fit(found, weights)
    assert np.array_equal(shared[0].points, shared[1].points)
    inside = template().mask
    misses = [off(each.points[inside], truth[inside]) for each in (*found, shared[0])]
    assert misses[2] < 0.75 * min(misses[:2])
    # Each photo's camera still sees the shape where the photo shows it.
    for own, one in zip(found, shared, strict=True):
        assert np.abs(own.position_map() - one.position_map())[inside][:, :2].mean() < 1.5
    assert share_fit(found[:1], weights[:1])[0] is found[0]


def test_a_texel_comes_from_the_photo_on_which_the_face_is_larger():
    whole = np.ones((SIZE, SIZE))
    near, far = textures((120, 90, 70), whole, (0.2, 0, 0)), textures((120, 90, 70), whole, (-0.2, 0, 0))
    merged = merge_textures([far, near], 0, [1, 4]).normal
    assert np.abs(merged - near.normal).max() < 0.01
    assert merge_textures([near], 0, [1]) is near


def test_two_photos_that_saw_the_same_are_not_mixed(sides):
    """Mixed, two that do not lie exactly over one another show everything twice."""
    _left, right = sides
    middle = np.exp(-((((np.arange(SIZE) + 0.5) / SIZE - 0.5) / 0.35) ** 2))
    front = textures((120, 90, 70), np.broadcast_to(middle, (SIZE, SIZE)), (0.2, 0, 0))
    other = textures((120, 90, 70), 0.8 * right, (-0.2, 0, 0))
    merged = merge_textures([front, other], 0, [1, 1]).normal
    # The middle is the front photo's alone, the far side the other's.
    assert np.abs(merged[100:150, 100:150] - front.normal[100:150, 100:150]).max() < 0.01
    assert np.abs(merged[100:150, 235:250] - other.normal[100:150, 235:250]).max() < 0.01
