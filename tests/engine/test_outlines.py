# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyes and lips of the base shape follow the outlines that the photo shows."""

import cv2
import numpy as np
import pytest

from hffne.geometry.base_shape import fit_base_shape
from hffne.geometry.face_parts import MARGIN, WIDE, FaceParts
from hffne.geometry.grids import sample
from hffne.geometry.outlines import on_outlines
from hffne.geometry.uv import template
from hffne.parts import EYES, HAIR, LIPS, MOUTH, PARTS, SKIN
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo
from hffne.pipeline import Engine
from posed_head import position_map, turned

RIGHT, LEFT, OUTER, INNER = slice(36, 42), slice(42, 48), slice(48, 60), slice(60, 68)
STAY = [8, 19, 24, 30, 33]  # chin, brows, nose


def marks(shape):
    """The iBUG points (68, 2) in pixels of the crop at 256."""
    return shape.to_crop(sample(shape.points, template().landmarks))[:, :2].astype(float)


def drawn(outlines):
    """FaceParts of skin with these parts: pairs of a part's number and points (K, 2) around it, later ones in front."""
    part = np.full((4 * WIDE, 4 * WIDE), SKIN, np.uint8)
    for number, points in outlines:
        cv2.fillPoly(part, [np.round((points + MARGIN + 0.5) * 4 * 16 - 8).astype(np.int32)], int(number), shift=4)
    shares = [
        cv2.resize((part == number).astype(np.float32), (WIDE, WIDE), None, 0, 0, cv2.INTER_AREA)
        for number in range(len(PARTS))
    ]
    return FaceParts(np.array(shares, np.float16))


@pytest.fixture(scope="module")
def shape():
    return fit_base_shape(position_map())


def test_an_eye_follows_its_outline_and_the_rest_of_the_face_stays(shape):
    before = marks(shape)
    narrow = before[RIGHT].mean(0) + (before[RIGHT] - before[RIGHT].mean(0)) * [1, 0.5] + [0, 1.5]
    after = marks(on_outlines(shape, drawn([(EYES, narrow)])))
    height = [np.ptp(points[:, 1]) for points in (before[RIGHT], narrow, after[RIGHT])]
    assert height[2] < height[0] - 0.6 * (height[0] - height[1])
    assert np.abs(after[RIGHT] - narrow)[:, 1].mean() < 0.3 * np.abs(before[RIGHT] - narrow)[:, 1].mean()
    assert np.abs(after[[*range(42, 48), *STAY]] - before[[*range(42, 48), *STAY]]).max() < 1


def test_lips_and_the_inside_of_the_mouth_follow_theirs(shape):
    before = marks(shape)
    lips = before[OUTER] + [2.5, 0]
    inside = before[INNER] + [2.5, 0]
    inside[1:4] -= [0, 2]
    inside[5:] += [0, 4]
    lips[7:] += [0, 5]
    after = marks(on_outlines(shape, drawn([(LIPS, lips), (MOUTH, inside)])))
    assert np.abs(after[OUTER] - lips).mean() < 0.5 * np.abs(before[OUTER] - lips).mean()
    gap = [points[6, 1] - points[2, 1] for points in (before[INNER], inside, after[INNER])]
    assert gap[2] > gap[0] + 0.5 * (gap[1] - gap[0])
    assert np.abs(after[[19, 24, 27, *range(36, 48)]] - before[[19, 24, 27, *range(36, 48)]]).max() < 0.5


def test_what_lies_on_its_outline_moves_little(shape):
    before = marks(shape)
    parts = drawn([(EYES, before[RIGHT]), (EYES, before[LEFT]), (LIPS, before[OUTER])])
    assert np.abs(marks(on_outlines(shape, parts)) - before).max() < 0.8


@pytest.mark.parametrize(
    "outlines",
    [
        lambda at: [],
        lambda at: [(EYES, at[RIGHT] * [0.4, 1] + [0.6 * at[39, 0], 0])],  # less than half of it
        lambda at: [(EYES, at[RIGHT] + [0.6 * (at[39, 0] - at[36, 0]), 0])],  # another thing beside it
        lambda at: [(EYES, at[RIGHT]), (HAIR, at[RIGHT] * [1, 2] - [0, at[RIGHT, 1].mean() - 4])],
    ],
    ids=["closed", "half", "beside", "under hair"],
)
def test_an_outline_that_is_not_sure_moves_nothing(shape, outlines):
    assert on_outlines(shape, drawn(outlines(marks(shape)))) is shape


def test_an_eye_turned_away_stays():
    shape = fit_base_shape(position_map(turned(yaw=65)))
    at = marks(shape)
    facing = [np.ptp(at[eye, 0]) for eye in (RIGHT, LEFT)]
    far = (RIGHT, LEFT)[int(np.argmin(facing))]
    assert on_outlines(shape, drawn([(EYES, at[far] + [0, 2])])) is shape


def test_on_a_photo_the_mesh_covers_the_eyes_that_are_seen(astronaut):
    photo = Photo(astronaut)
    estimate = Engine(device="cpu", size=256).normals(photo, find_faces(photo)[0])
    seen = estimate.parts.part_on_crop() == EYES
    eyes = np.zeros((256, 256), np.uint8)
    at = marks(estimate.shape)
    for eye in (RIGHT, LEFT):
        cv2.fillPoly(eyes, [np.round(at[eye]).astype(np.int32)], 1)
    assert (seen & (eyes > 0)).sum() / (seen | (eyes > 0)).sum() > 0.55
