# SPDX-License-Identifier: GPL-3.0-or-later
"""Difficult pictures: degradations, renders of an ellipsoid with known normals, and the results of the groups."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from ellipsoid_model import ellipsoid_model, ellipsoid_normals
from hffne.cli.main import main
from hffne.errors import HffneError
from hffne.evaluation import rendered, robustness, wild
from hffne.evaluation.degradations import CASES
from hffne.geometry.vectors import normalize
from hffne.photo.detect import Face
from hffne.synthesis import fit
from hffne.synthesis.face_model import LANDMARKS
from hffne.synthesis.sampling import euler
from hffne.synthesis.uv_layout import CENTER
from rotations import tilted


def face_marks():
    """68 points on a 400 px picture, roughly a face of 200 px: jaw, brows, nose, eyes, lips."""
    angle = np.linspace(np.pi, 0, 17)
    jaw = np.stack([200 + 100 * np.cos(angle), 190 + 120 * np.sin(angle)], 1)
    brows = np.stack([np.r_[np.linspace(125, 180, 5), np.linspace(220, 275, 5)], np.full(10, 160)], 1)
    nose = np.r_[
        np.stack([np.full(4, 200), np.linspace(180, 225, 4)], 1),
        np.stack([np.linspace(180, 220, 5), np.full(5, 235)], 1),
    ]
    turn = np.radians([180, 240, 300, 0, 60, 120])
    eyes = np.concatenate([np.stack([x + 16 * np.cos(turn), 180 + 8 * np.sin(turn)], 1) for x in (155, 245)])
    ring = np.linspace(np.pi, 3 * np.pi, 20, endpoint=False)
    lips = np.stack([200 + 35 * np.cos(ring), 265 + 12 * np.sin(ring)], 1)
    return np.concatenate([jaw, brows, nose, eyes, lips]).astype(np.float32)


@pytest.fixture
def picture():
    rng = np.random.default_rng(0)
    return (130 + 40 * cv2.GaussianBlur(rng.normal(0, 1, (400, 400, 3)), (0, 0), 2)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", CASES)
def test_degradations_change_the_photo_and_not_its_input(picture, name):
    before = picture.copy()
    found = CASES[name](picture, face_marks())
    assert np.array_equal(picture, before) and found.dtype == np.uint8 and found.shape[2] == 3
    assert found.shape == picture.shape or name == "small"
    assert found.shape != picture.shape or not np.array_equal(found, picture)


def test_degradations_do_what_their_names_say(picture):
    marks = face_marks()

    def changed(name):
        rows, columns = np.nonzero(np.abs(CASES[name](picture, marks).astype(int) - picture).max(2) > 8)
        return rows, columns

    assert CASES["small"](picture, marks).shape[1] == round(400 * 64 / 200)
    assert CASES["overexposed"](picture, marks).mean() > picture.mean() + 40
    assert CASES["underexposed"](picture, marks).mean() < picture.mean() / 2
    gray = CASES["gray"](picture, marks)
    assert np.ptp(gray.astype(int), axis=2).max() == 0
    sepia = CASES["sepia"](picture, marks).astype(int)
    assert (sepia[..., 0] > sepia[..., 2]).all()
    for name in ("blurred", "shaken"):
        assert CASES[name](picture, marks).std() < picture.std()
    rows, columns = changed("glasses")
    assert columns.min() + 15 > 100 and columns.max() - 15 < 300 and rows.min() + 5 > 150 and rows.max() < 230
    rows, _ = changed("beard")
    assert rows.min() > 170 and rows.max() > 290
    rows, _ = changed("fringe")
    assert rows.max() < 175
    dark = CASES["sunglasses"](picture, marks)[180, [155, 245]]
    assert (dark < 60).all()


def test_rendered_normals_are_the_shapes(held_out_faces):
    scene = replace(rendered.PLAIN, yaw=40)
    face = held_out_faces.face(0, scene)
    assert face.rgb.shape == (128, 128, 3) and face.mask.sum() > 1500
    # At each landmark in sight the picture shows that point's own normal.
    points = ellipsoid_model().neutral[LANDMARKS] - CENTER
    wanted = ellipsoid_normals(points) @ euler(40, 0, 0).T
    column, row = np.round(face.landmarks).astype(int).clip(0, 127).T
    seen = (wanted[:, 2] > 0.5) & face.mask[row, column]
    assert seen.sum() >= 5
    error = np.degrees(np.arccos(np.clip((face.normal[row, column] * wanted).sum(1)[seen], -1, 1)))
    assert error.max() < 4


def test_rendered_light_and_skin_follow_the_scene(held_out_faces):
    plain = held_out_faces.face(0, rendered.PLAIN)
    level = {
        name: held_out_faces.face(0, rendered.SCENES[name][0]).rgb[plain.mask].mean()
        for name in ("dark skin", "plain", "light skin")
    }
    assert level["dark skin"] < level["plain"] - 30 < level["light skin"] - 60
    left = held_out_faces.face(0, rendered.SCENES["hard side light"][0])
    columns = np.nonzero(left.mask)[1]
    bright = left.rgb.mean(2)
    near, far = bright[:, :64][left.mask[:, :64]], bright[:, 64:][left.mask[:, 64:]]
    assert columns.min() < 64 < columns.max() and near.mean() > 2 * far.mean()


class KnownEngine:
    """Returns the plain render's normals, tilted by 9 degrees, for every picture."""

    model, device_name = "known", "none"

    def __init__(self, normal, mask):
        self.normal, self.mask = (normal @ tilted(9).T).astype(np.float32), mask

    def normals(self, photo, face):
        def resample_to_photo(part, shape):
            return cv2.resize(part, shape[1::-1], interpolation=cv2.INTER_AREA)

        return SimpleNamespace(
            normal=self.normal,
            fine=self.normal,
            coarse=self.normal,
            resample_to_photo=resample_to_photo,
            on_photo=lambda shape: (self.normal, self.normal, self.mask),
        )


def test_groups_of_renders_count_errors_and_missed_faces(held_out_faces, monkeypatch):
    plain = held_out_faces.face(0, rendered.PLAIN)
    monkeypatch.setattr(robustness, "SCENES", {"plain": [rendered.PLAIN], "turned": [replace(rendered.PLAIN, yaw=60)]})
    dark = plain.rgb.mean() * 0.75
    face = Face(plain.box, 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(robustness, "find_faces", lambda photo: [] if photo.rgb.mean() < dark else [face])
    groups = {
        g.name: g
        for g in robustness.on_renders(KnownEngine(plain.normal, plain.mask), held_out_faces, 1, lambda text: None)
    }
    assert set(groups) == {"plain", "turned", *CASES}
    assert 4 < groups["plain"].errors[0] < 9.1 and groups["plain"].rotated[0] < 0.5
    assert groups["turned"].errors[0] > 30
    assert groups["plain"].found == 1 and groups["underexposed"].found == 0
    assert groups["underexposed"].pictures == 1
    text = robustness.table(list(groups.values()), [], {})
    assert "0 of 1" in text and f"{groups['plain'].errors[0]:.1f}°" in text
    assert json.loads(json.dumps(robustness.as_dict(list(groups.values()), [], {})))["renders"][0]["pictures"] == 1


def test_groups_of_photos_compare_with_the_original_photos_result(held_out_faces, picture, monkeypatch):
    plain = held_out_faces.face(0, rendered.PLAIN)
    normal = normalize(cv2.resize(plain.normal, (400, 400)) + np.float32([0, 0, 1e-3]))
    engine = KnownEngine(normal, cv2.resize(plain.mask.astype(np.uint8), (400, 400)) > 0)
    monkeypatch.setattr(robustness, "load_photo", lambda path: SimpleNamespace(rgb=picture, path=path))
    face = Face((100, 130, 200, 200), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(robustness, "find_faces", lambda photo: [] if photo.rgb.mean() < 80 else [face])
    points = np.zeros((478, 3))
    points[fit.MEDIAPIPE_68, :2] = face_marks()
    finder = SimpleNamespace(find=lambda rgb, box: points)
    groups = {g.name: g for g in robustness.on_photos(engine, finder, [Path("a.jpg")], lambda text: None)}
    assert groups["gray"].errors[0] < 0.1 and groups["gray"].found == 1
    assert groups["underexposed"].found == 0 and groups["underexposed"].pictures == 1
    # The same normals on a smaller photo and back lose only their finest part.
    assert 0.01 < groups["small"].errors[0] < 3


def test_lists_name_photos_by_the_end_of_their_paths(tmp_path):
    photos = [Path("/x/a/1.jpg"), Path("/x/b/1.jpg"), Path("/x/b/2.jpg")]
    file = tmp_path / "list.txt"
    file.write_text("b/1.jpg\n\n2\n")
    assert robustness.read_group(file, photos) == photos[1:]
    file.write_text("c/1.jpg\n")
    with pytest.raises(HffneError, match=r"c/1\.jpg"):
        robustness.read_group(file, photos)
    with pytest.raises(HffneError, match="nowhere"):
        robustness.read_group(tmp_path / "nowhere", photos)


def test_chosen_groups_are_in_the_table():
    good = wild.WildResult("a", *({stage: v for stage in wild.STAGES} for v in (7.0, 6.0, 0.4)))
    bad = wild.WildResult("b", missing="no face found")
    text = robustness.table([], [], {"beards": [good, bad], "none": [bad]})
    assert "| beards | 2 | 1 | 7.00° | 6.00° | 0.400 |" in text and "| none | 1 | 0 | - |" in text


def test_nothing_to_measure_on_is_an_error(tmp_path, capsys):
    assert main(["evaluate", "robustness"]) == 1 and "--renders" in capsys.readouterr().err
    assert main(["evaluate", "robustness", "--renders", str(tmp_path)]) == 1 and "--shapes" in capsys.readouterr().err
    assert main(["evaluate", "robustness", "--renders", str(tmp_path), "--shapes", str(tmp_path)]) == 2
    assert f"'{tmp_path}' is not a training set" in capsys.readouterr().err
    assert main(["evaluate", "robustness", str(tmp_path / "nowhere")]) == 1
    assert "holds no photos" in capsys.readouterr().err
