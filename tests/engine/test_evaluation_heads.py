# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate heads` on the stand-in family, and the figures of `evaluate fine`, by engines whose answers are known."""

import cv2
import numpy as np
import pytest

from avatar_standins import write_heads
from hffne.errors import HffneError
from hffne.evaluation import fine_relief, heads
from hffne.synthesis import avatar_heads


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heads") / "valid"
    with pytest.MonkeyPatch.context() as patch:
        model = write_heads(folder, ("Asian_F_1", "First_F_1"))
        patch.setattr(avatar_heads, "_NECK", 40.0)
        patch.setattr(heads, "load_face_model", lambda _: model)
        yield heads.HeldOutHeads(folder, "", size=128)


class Engine:
    """Answers with the truth, turned a little, and slanted round the eyes."""

    def __init__(self, turn):
        self.turn, self.picture = turn, None

    def normals(self, photo, face):
        normal = self.picture.face.normal @ self.turn.T
        return _Estimate(normal, np.where(self.picture.regions["eyes"][..., None], np.float32([1, 0, 0]), normal))


class _Estimate:
    def __init__(self, coarse, normal):
        self.coarse, self.normal = coarse, normal

    def resample_to_photo(self, part, shape):
        return part.astype(np.float32)


def test_a_turn_of_all_costs_nothing_and_an_error_at_the_eyes_is_seen_there(people, monkeypatch):
    c, s = np.cos(0.1), np.sin(0.1)
    engine = Engine(np.float32([[c, 0, s], [0, 1, 0], [-s, 0, c]]))
    make = people.picture

    def picture(*scene):
        engine.picture = make(*scene)
        mask = engine.picture.face.mask  # the stand-in's points lie anywhere
        engine.picture.regions["eyes"] = mask & (np.arange(128)[:, None] < 50)
        engine.picture.regions["skin"] = mask
        engine.picture.regions["mouth"] = mask & (np.arange(128)[:, None] > 90)
        return engine.picture

    monkeypatch.setattr(people, "picture", picture)
    monkeypatch.setattr(heads, "LIGHTS", {"raking": heads.LIGHTS["raking"]})
    monkeypatch.setattr(heads, "find_faces", lambda photo: [])
    rows = []
    results = heads.evaluate(engine, people, lambda _: None, rows)
    assert len(results) == len(rows) == len(heads.SIDES) and {r.name for r in results} == {"Asian_F_1"}
    for result in results:
        assert result.degrees["coarse"]["all"] < 0.5
        assert result.degrees["product"]["eyes"] > 2 * result.degrees["product"]["mouth"]
        assert result.raw > 4 and not result.found
    assert all(picture.ndim == 3 for _, tiles in rows for _, picture in tiles)
    report = heads.as_dict(results)
    assert set(report["mean"]["product"]) == set(heads.REGIONS)
    assert "Asian_F_1" in heads.table(results)


def test_a_set_without_held_out_people_is_refused(tmp_path, monkeypatch):
    model = write_heads(tmp_path / "valid", ("First_F_1", "Second_F_1"))
    monkeypatch.setattr(heads, "load_face_model", lambda _: model)
    with pytest.raises(HffneError, match="held out"):
        heads.HeldOutHeads(tmp_path / "valid", "")


def relief(seed, sigma=2.0):
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(256, 256)).astype(np.float32), (0, 0), sigma)
    noise = noise / noise.std() * 0.1 * np.linspace(0, 1, 256, dtype=np.float32)[None]
    x, y = cv2.Sobel(noise, cv2.CV_32F, 1, 0), cv2.Sobel(noise, cv2.CV_32F, 0, 1)
    return np.dstack([x, y, np.ones_like(x)]) / np.sqrt(x * x + y * y + 1)[..., None]


def test_relief_that_is_the_photos_explains_it_and_invents_nothing():
    normal, skin = relief(0), np.ones((256, 256), bool)
    gray = 0.5 + 0.4 * normal @ np.float32([0.6, 0.4, 0.7])
    explained, phantom = fine_relief.fine_relief(gray, normal, skin, 256)
    assert explained > 0.99 and phantom < 0.3
    other, ghost = fine_relief.fine_relief(gray, relief(1)[:, ::-1], skin, 256)
    assert other < 0.1 and ghost > 3 * phantom
