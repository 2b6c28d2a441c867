# SPDX-License-Identifier: GPL-3.0-or-later
"""The crop's size follows what a photo holds: its pixels, less what enlarging, blur and noise pretend."""

import cv2
import numpy as np
import pytest

from hffne.photo.crop import CROP, Crop
from hffne.photo.detail_size import detail_size

SIDE = 1100


@pytest.fixture(scope="module")
def sharp(astronaut):
    """The face of a real photo, averaged so that its pixels are sharp, four times in rows: (SIDE, SIDE, 3) uint8."""
    face = cv2.resize(astronaut[40:200, 140:300], (138, 138), interpolation=cv2.INTER_AREA)
    return np.tile(face, (8, 8, 1))[:SIDE, :SIDE]


def size(rgb):
    crop = Crop(rgb.shape[1] / 2, rgb.shape[0] / 2, float(rgb.shape[0]))
    mask = cv2.ellipse(np.zeros((CROP, CROP), np.uint8), (128, 128), (55, 80), 0, 0, 360, (1,), -1) > 0
    return detail_size(rgb, crop, mask)


def shrunk(rgb, side):
    return cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA)


def noisy(rgb, deviation):
    return np.clip(rgb + np.random.default_rng(0).normal(0, deviation, rgb.shape), 0, 255).astype(np.uint8)


def test_sharp_photos_need_a_crop_of_their_size(sharp):
    assert [size(shrunk(sharp, side)) for side in (200, 300, 500, 1000)] == [256, 256, 512, 1024]
    assert size(noisy(shrunk(sharp, 1000), 5)) == 1024
    assert size(shrunk(sharp, 1000).astype(np.uint16) * 257) == 1024


def test_enlarged_and_blurred_photos_do_not_pretend(sharp):
    small = shrunk(sharp, 250)
    for method in (cv2.INTER_CUBIC, cv2.INTER_LANCZOS4):
        assert size(cv2.resize(small, (1000, 1000), interpolation=method)) <= 512
    assert size(cv2.GaussianBlur(shrunk(sharp, 1000), (0, 0), 4)) <= 512
    assert size(noisy(cv2.GaussianBlur(shrunk(sharp, 1000), (0, 0), 4), 5)) <= 512
    code = cv2.imencode(".jpg", cv2.resize(small, (1000, 1000), interpolation=cv2.INTER_CUBIC))[1]
    assert size(cv2.imdecode(code, cv2.IMREAD_COLOR)) <= 512


def test_what_shows_nothing_takes_the_smallest_crop():
    assert size(np.full((900, 900, 3), 120, np.uint8)) == 256
    assert size(noisy(np.full((900, 900, 3), 120, np.uint8), 20)) == 256
