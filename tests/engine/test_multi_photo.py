# SPDX-License-Identifier: GPL-3.0-or-later
"""Several photos of one face as one: each side comes from the photo that shows it."""

import numpy as np
import pytest

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.grids import surface_normals
from hffne.geometry.multi_photo import merge_photos, reference_photo
from hffne.geometry.textures import Textures
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize

SIZE = 256


def shape(wider=0.0):
    x, y, z = np.moveaxis(template().mean.astype(np.float32), -1, 0)
    points = np.stack([x * (1 + wider), -z, y], -1).astype(np.float32)
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
    merged_shape, merged = merge_photos([shape(), shape()], [one, two])
    # But for the scale: the distance of the eyes is fixed.
    assert np.abs(merged_shape.points - shape().points).max() < 2e-3
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
    _, merged = merge_photos([shape(), shape()], [bright, dark])
    row = merged.color[128, 40:216].astype(int)
    # Both ends as the reference's, though 50 levels apart on their photos.
    assert np.abs(row[0] - row[-1]).max() < 8
    assert np.abs(np.diff(row, axis=0)).max() < 6


def test_the_shapes_are_averaged_and_keep_the_eyes_distance(sides):
    left, _ = sides
    whole = np.ones_like(left)
    one = textures((120, 90, 70), whole, (0, 0, 0))
    merged, _ = merge_photos([shape(0.0), shape(0.1)], [one, one])
    width = [
        np.ptp(each.points[template().mask][:, 0]) / np.ptp(each.points[template().mask][:, 2])
        for each in (shape(0.0), merged, shape(0.1))
    ]
    assert width[0] < width[1] < width[2]
    assert width[1] == pytest.approx((width[0] + width[2]) / 2, rel=0.01)


def test_the_photo_that_saw_most_is_the_reference(sides):
    left, right = sides
    assert reference_photo([textures((1, 1, 1), left * 0.5, (0, 0, 0)), textures((1, 1, 1), right, (0, 0, 0))]) == 1
    one = textures((9, 9, 9), left, (0, 0, 0))
    assert merge_photos([shape()], [one])[1] is one
    with pytest.raises(ValueError):
        merge_photos([], [])


def test_two_photos_that_saw_the_same_are_not_mixed(sides):
    """Mixed, two that do not lie exactly over one another show everything twice."""
    _left, right = sides
    middle = np.exp(-((((np.arange(SIZE) + 0.5) / SIZE - 0.5) / 0.35) ** 2))
    front = textures((120, 90, 70), np.broadcast_to(middle, (SIZE, SIZE)), (0.2, 0, 0))
    other = textures((120, 90, 70), 0.8 * right, (-0.2, 0, 0))
    merged = merge_photos([shape(), shape()], [front, other])[1].normal
    # The middle is the front photo's alone, the far side the other's.
    assert np.abs(merged[100:150, 100:150] - front.normal[100:150, 100:150]).max() < 0.01
    assert np.abs(merged[100:150, 235:250] - other.normal[100:150, 235:250]).max() < 0.01
