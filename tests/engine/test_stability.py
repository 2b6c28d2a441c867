# SPDX-License-Identifier: GPL-3.0-or-later
"""The same face gives the same normal: the shipped networks on a real photo, within the promised 2 degrees."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hffne.evaluation import stability
from hffne.photo.crop import Crop
from hffne.photo.detect import Face, find_faces
from hffne.photo.load import Photo
from hffne.pipeline import Engine
from posed_head import turned


@pytest.fixture(scope="module")
def engine():
    return Engine()


@pytest.fixture(scope="module")
def photo(astronaut):
    return Photo(astronaut, Path("astronaut.png"))


@pytest.fixture(scope="module")
def face(photo):
    return find_faces(photo)[0]


@pytest.fixture(scope="module")
def plain(engine, photo, face):
    return engine.normals_on(photo, engine.crop(photo, face))


def test_the_mirrored_photo_gives_the_mirrored_normal(engine, photo, face):
    assert stability.mirrored(engine, photo, face) < stability.BOUND


def test_a_crop_moved_by_one_pixel_gives_the_same_normal(engine, photo, plain):
    assert max(stability.shifted(engine, photo, plain, *step) for step in ((1, 0), (0, -1))) < stability.BOUND


def test_a_photo_turned_a_little_gives_the_turned_normal(engine, photo, plain):
    assert max(stability.turned(engine, photo, plain, degrees) for degrees in stability.TURNS) < stability.BOUND


class LevelEngine:
    """Returns the same slope, leaning to the right of the picture, for every crop."""

    def __init__(self):
        self.normal = np.broadcast_to(np.float32(turned(20) @ [0, 0, 1]), (64, 64, 3))

    def crop(self, photo, face):
        return Crop(100, 100, 128, 256)

    def normals_on(self, photo, crop):
        mask = np.zeros((64, 64), bool)
        mask[20:44, 20:44] = True
        return SimpleNamespace(
            normal=self.normal,
            mask=mask,
            crop=crop.resized(64),
            on_photo=lambda shape: (np.broadcast_to(self.normal[0, 0], (200, 200, 3)), None, np.ones((200, 200), bool)),
        )

    def normals(self, photo, face):
        return self.normals_on(photo, self.crop(photo, face))


def test_changes_are_measured_as_angles(monkeypatch, tmp_path):
    photo = Photo(np.zeros((200, 200, 3), np.uint8), tmp_path / "a.png")
    face = Face((60, 60, 80, 80), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(stability, "find_faces", lambda photo: [face])
    monkeypatch.setattr(stability, "load_photo", lambda path: photo)
    result = stability.evaluate(LevelEngine(), [photo.path], lambda text: None)[0]
    # Mirrored back, the slope leans to the left: twice 20 degrees away.
    assert result.mirror == pytest.approx(40, abs=0.01)
    assert result.shift == pytest.approx([0] * 4, abs=0.01)
    # Turned about the line of sight by 3 degrees, 20 degrees off it: 2 asin(sin 20 sin 1.5).
    assert result.turn == pytest.approx(
        [np.degrees(2 * np.arcsin(np.sin(np.radians(20)) * np.sin(np.radians(1.5))))] * 2, abs=0.01
    )
    assert f"{result.mirror:.2f}°" in stability.table([result]) and result.worst == result.mirror
    missing = stability.Stability("b", missing="no face found")
    assert "1 of 2" in stability.table([result, missing]) and "0 of 1" in stability.table([missing])
    assert json.loads(json.dumps(stability.as_dict([result, missing])))["photos"][1]["missing"]
