# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces are found where they are; crops lie where they say."""

import cv2
import numpy as np
import pytest
from PIL import Image

from hffne.errors import HffneError, NoFaceError
from hffne.photo.crop import Crop, crop_for_box, extract_crop, to_gray
from hffne.photo.detect import choose_faces, find_faces
from paths import ASTRONAUT_FACE


def test_the_face_and_its_points(astronaut):
    (face,) = find_faces(astronaut)
    assert np.abs(np.subtract(face.box, ASTRONAUT_FACE)).max() <= 6
    assert face.score > 0.9
    eyes, nose, mouth = face.points[:2], face.points[2], face.points[3:]
    assert eyes[0, 0] < nose[0] < eyes[1, 0] and eyes[:, 1].max() < nose[1] < mouth[:, 1].min()


@pytest.mark.parametrize("side", [32, 64, 128, 512, 1500])
@pytest.mark.parametrize("region", [(180, 70, 270, 170), (170, 55, 280, 185), (130, 20, 320, 230)])
def test_faces_that_fill_the_frame_or_are_small(image, side, region):
    photo = np.asarray(image.crop(region).resize((side, side), Image.Resampling.LANCZOS))
    faces = find_faces(photo)
    assert len(faces) == 1
    left, top, right, bottom = region
    scale = np.array([side / (right - left), side / (bottom - top)] * 2)
    wanted = np.subtract(ASTRONAUT_FACE, (left, top, 0, 0)) * scale
    assert np.abs(np.subtract(faces[0].box, wanted)).max() < 0.35 * wanted[3]


def test_a_face_cut_by_the_frame(image):
    photo = np.asarray(image.crop((205, 30, 400, 230)))
    (face,) = find_faces(photo)
    assert face.box[0] < 20 and abs(face.box[1] - 33) < 25


def test_several_faces_come_largest_first(image):
    group = Image.new("RGB", (1800, 700), (90, 110, 130))
    for left, side in ((20, 256), (400, 600), (1200, 400)):
        group.paste(image.resize((side, side)), (left, 50))
    faces = find_faces(np.asarray(group))
    assert len(faces) == 3
    assert [400 < f.box[0] < 1000 for f in faces] == [True, False, False]
    assert faces[0].area > faces[1].area > faces[2].area


def test_a_small_face_on_a_large_photo(image):
    large = Image.new("RGB", (4000, 3000), (90, 110, 130))
    large.paste(image.resize((400, 400)), (3100, 2200))
    (face,) = find_faces(np.asarray(large))
    assert abs(face.box[0] - 3100 - 179 * 400 / 512) < 15 and abs(face.box[1] - 2200 - 63 * 400 / 512) < 15


@pytest.mark.parametrize("name", ["coffee", "chelsea", "brick", "rocket", "text", "coins"])
def test_pictures_without_a_face(name):
    import skimage.data

    pixels = getattr(skimage.data, name)()
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    assert find_faces(np.ascontiguousarray(pixels[..., :3])) == []


def test_choosing_a_face(astronaut):
    faces = find_faces(astronaut)
    assert choose_faces(faces, "largest", "p.jpg") == choose_faces(faces, 0, "p.jpg") == [(0, faces[0])]
    assert [index for index, _ in choose_faces(faces * 3, "all", "p.jpg")] == [0, 1, 2]
    for found, which in (([], "largest"), ([], "all"), (faces, 1)):
        with pytest.raises(NoFaceError, match=r"p\.jpg") as caught:
            choose_faces(found, which, "p.jpg")
        assert caught.value.exit_code == 3 and isinstance(caught.value, HffneError)


# Crops


def test_a_crop_at_the_photos_own_scale_is_a_slice(astronaut):
    got = extract_crop(astronaut, Crop(232, 132, 64, 64))
    np.testing.assert_allclose(got, astronaut[100:164, 200:264] / np.float32(255), atol=1e-6)
    assert got.dtype == np.float32


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 0.3, 3.9])
@pytest.mark.parametrize("side", [100.0, 300.0, 511.7, 640.3])
def test_samples_lie_where_the_crop_says(side, turns):
    columns, rows = np.meshgrid(np.arange(900), np.arange(800))
    ramp = np.stack([columns * 70, rows * 80, rows * 0], axis=-1).astype(np.uint16)
    crop = Crop(450.3, 399.6, side, 256, turns)
    got = extract_crop(ramp, crop) * 65535 / np.array([70, 80, 1])
    i, j = np.meshgrid(np.arange(256), np.arange(256))
    wanted = crop.to_photo(np.stack([i, j], axis=-1))
    inside = (wanted > 4).all(2) & (wanted < np.array([895, 795])).all(2)
    assert inside.mean() > 0.9
    np.testing.assert_allclose(got[..., :2][inside], wanted[inside], atol=0.1)
    corner, first = (tuple(wanted[k]) for k in ((0, 0), (0, 10)))
    if not turns:
        np.testing.assert_allclose(first[0], 450.3 + (10.5 / 256 - 0.5) * side - 0.5, rtol=1e-5)
    # As numpy.rot90 turns: after one quarter the crop's upper left is the photo's upper right; a tenth before it.
    turns = round(turns) % 4
    assert (corner[0] > 450, corner[1] > 400) == [(False, False), (True, False), (True, True), (False, True)][turns]


def test_shrinking_averages():
    checker = np.indices((1024, 1024)).sum(axis=0) % 2 * 255
    rgb = np.repeat(checker[..., None], 3, axis=2).astype(np.uint8)
    got = extract_crop(rgb, Crop(512, 512, 1024, 256))
    assert np.abs(got - 0.5).max() < 0.02


def test_outside_of_the_photo_the_edge_goes_on(astronaut):
    got = extract_crop(astronaut, Crop(0, 256, 64, 64))
    np.testing.assert_allclose(got[:, :31], np.repeat(got[:, 31:32], 31, axis=1), atol=0.02)
    far = extract_crop(astronaut, Crop(-900, -900, 64, 16))
    np.testing.assert_allclose(far, np.broadcast_to(astronaut[0, 0] / 255, far.shape), atol=1e-3)


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 0.3, 3.9])
def test_crop_and_photo_pixels_convert_both_ways(turns):
    crop = Crop(400.25, 300.5, 333.3, 256, turns)
    points = np.random.default_rng(1).uniform(-50, 900, (68, 3)).astype(np.float32)
    np.testing.assert_allclose(crop.to_photo(crop.to_crop(points)), points, atol=1e-3)
    unit = crop.to_photo(np.array([[0, 0, 0], [1, 0, 1]], np.float32))
    np.testing.assert_allclose(unit[1, 2], 333.3 / 256, rtol=1e-5)
    kept = points.copy()
    crop.to_photo(points), crop.to_crop(points)
    np.testing.assert_array_equal(points, kept)


def test_the_crop_of_a_box_is_centered_on_it():
    crop = crop_for_box((10, 20, 90, 160))
    assert (crop.center_x, crop.center_y, crop.size) == (55, 100, 256)
    assert 120 * 1.2 < crop.side < 120 * 2.5


def test_gray_is_the_luma(astronaut):
    wanted = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY) / 255
    np.testing.assert_allclose(to_gray(astronaut / np.float32(255)), wanted, atol=0.003)
