# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape and relief without ground truth, on a bowl for which both are known."""

import json
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from hffne.errors import HffneError
from hffne.evaluation import contact_sheet, landmark_finder, marked_photo, wild
from hffne.geometry.vectors import normalize
from hffne.photo.crop import Crop
from hffne.photo.detect import Face
from hffne.synthesis import landmark_mesh
from rotations import tilted

SIZE = wild.SIZE
COLUMNS = 24


def grid_mesh():
    """A bowl of COLUMNS x COLUMNS points (x right, y down, z out) on a 256 picture, and its edges."""
    v, u = np.mgrid[-1 : 1 : COLUMNS * 1j, -1 : 1 : COLUMNS * 1j]
    points = np.stack([u * 90 + 127.5, v * 90 + 127.5, -40 * (u**2 + v**2)], -1).reshape(-1, 3)
    index = np.arange(COLUMNS**2).reshape(COLUMNS, COLUMNS)
    pairs = [(index[:, :-1], index[:, 1:]), (index[:-1], index[1:]), (index[:-1, :-1], index[1:, 1:])]
    return points, [
        (int(a), int(b)) for first, second in pairs for a, b in zip(first.ravel(), second.ravel(), strict=True)
    ]


def bowl_normals():
    y, x = (np.mgrid[:SIZE, :SIZE] - 127.5) / 90
    return normalize(np.dstack([80 / 90 * x, -80 / 90 * y, np.ones_like(x)]))


@pytest.fixture
def bowl(monkeypatch):
    points, edges = grid_mesh()
    monkeypatch.setattr(landmark_mesh, "triangles", lambda: landmark_mesh.triangulate(edges))
    return points


def test_a_mesh_is_built_from_its_edges():
    points, edges = grid_mesh()
    found = landmark_mesh.triangulate(edges)
    assert len(found) == 2 * (COLUMNS - 1) ** 2 and len({tuple(sorted(t)) for t in found}) == len(found)
    a, b, c = (points[found[:, k], :2] for k in range(3))
    turn = np.cross(b - a, c - a)
    assert (turn > 0).all() or (turn < 0).all()


def test_three_connected_vertices_around_others_are_not_a_face():
    # A triangle with a vertex inside, and an outer ring: 0 1 2 are joined, but faces fill their inner and outer side.
    edges = [(0, 1), (1, 2), (0, 2), (0, 3), (1, 3), (2, 3), (0, 4), (1, 4), (1, 5), (2, 5), (0, 6), (2, 6)]
    found = {tuple(sorted(t)) for t in landmark_mesh.triangulate(edges).tolist()}
    assert found == {(0, 1, 3), (1, 2, 3), (0, 2, 3), (0, 1, 4), (1, 2, 5), (0, 2, 6)}


def test_the_meshs_normals_point_outward(bowl):
    normal, area = landmark_mesh.mesh_normals(bowl, SIZE)
    assert area[128, 40:216].all() and not area[:, :36].any() and not area[:36].any()
    assert wild.angles(normal, bowl_normals())[area].mean() < 1.5


def test_the_shape_is_compared_without_the_relief(bowl):
    truth, area = landmark_mesh.mesh_normals(bowl, SIZE)
    rng = np.random.default_rng(0)
    rough = normalize(bowl_normals() + rng.normal(0, 0.3, (SIZE, SIZE, 3))) @ tilted(12).T
    x_part = np.degrees(2 * np.arcsin(np.sin(np.radians(6)) * np.hypot(*np.moveaxis(truth[area], -1, 0)[1:])))
    raw, rotated, error = wild.shape_error(rough, truth, area)
    assert raw == pytest.approx(x_part.mean(), abs=1) and rotated < 3
    assert error[area].mean() == pytest.approx(raw)


def test_relief_is_the_share_that_a_light_explains_by_the_normal():
    rng = np.random.default_rng(1)
    skin = np.zeros((SIZE, SIZE), bool)
    skin[60:200, 60:200] = True
    bumps = cv2.GaussianBlur(rng.normal(0, 1, (SIZE, SIZE, 2)), (0, 0), 2)
    normal = normalize(np.dstack([bumps, np.ones((SIZE, SIZE))]))
    gray = 0.5 + 0.3 * normal @ [0.6, -0.3, 0.2]
    paint = cv2.GaussianBlur(rng.normal(0, 1, (SIZE, SIZE)), (0, 0), 2)
    assert wild.relief_share(gray, normal, skin) > 0.98
    assert abs(wild.relief_share(0.5 + 0.1 * paint, normal, skin)) < 0.1
    # Color with as much energy as the shading hides half of it.
    fine = [np.std((cv2.GaussianBlur(a, (0, 0), 1) - cv2.GaussianBlur(a, (0, 0), 5))[skin]) for a in (gray, paint)]
    assert wild.relief_share(gray + paint * fine[0] / fine[1], normal, skin) == pytest.approx(0.5, abs=0.12)


def test_skin_has_no_brows_eyes_nostrils_and_lips():
    area = np.ones((SIZE, SIZE), bool)
    area[:20] = False
    points = np.full((478, 3), [128.0, 10.0, 0.0])
    points[landmark_mesh.MEDIAPIPE_68[36:42]] = [
        (90, 90, 0),
        (95, 85, 0),
        (105, 85, 0),
        (110, 90, 0),
        (105, 95, 0),
        (95, 95, 0),
    ]
    skin = landmark_mesh.plain_skin(points, area)
    assert not skin[:20].any() and not skin[90, 90:110].any() and skin[150, 90] and skin[90, 150]


class BowlEngine:
    model, device_name = "bowl", "none"

    def normals(self, photo, face):
        normal = bowl_normals().astype(np.float32)
        return SimpleNamespace(
            crop=Crop(128, 128, 256, 256),
            coarse=(normal @ tilted(10).T).astype(np.float32),
            fine=normal,
            normal=normal,
            mask=np.ones((SIZE, SIZE), bool),
        )


@pytest.fixture
def photos(tmp_path, monkeypatch, bowl):
    for k in range(3):
        Image.fromarray(np.full((256, 256, 3), 100 + k, np.uint8)).save(tmp_path / f"{k}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    face = Face((60, 60, 130, 130), 0.9, np.zeros((5, 2), np.float32))
    monkeypatch.setattr(marked_photo, "find_faces", lambda photo: [] if photo.path.stem == "1" else [face])
    return tmp_path, SimpleNamespace(find=lambda rgb, box: None if rgb[0, 0, 0] == 102 else bowl)


def test_photos_are_measured_and_those_without_a_face_are_counted(photos):
    folder, finder = photos
    rows = contact_sheet.BestAndWorst()
    told = []
    results = wild.evaluate(BowlEngine(), finder, sorted(folder.glob("*.png")), told.append, rows)
    assert [bool(r.missing) for r in results] == [False, True, True, True] and len(told) == 3
    # The edges of the area are smoothed with what lies beyond, else the bowl is exact.
    assert results[0].shape["product"] < 1.5 and 6 < results[0].shape["coarse"] < 10
    assert results[0].rotated["coarse"] < 2
    assert "1 of 4" in wild.table(results) and f"{results[0].shape['coarse']:.2f}" in wild.table(results)
    data = json.loads(json.dumps(wild.as_dict(results)))
    assert data["without_result"] == 3 and set(data["mean"]) == {"coarse", "fine", "product"}
    assert len(rows.rows) == 1 and contact_sheet.compose(rows.rows).any()


def test_held_out_photos_are_every_twentieth_of_the_set(tmp_path):
    paths = [tmp_path / "old" / "a" / f"{k}.jpg" for k in range(45)]
    np.savez(tmp_path / "fits.npz", paths=np.array([str(p) for p in paths]))
    assert wild.held_out(tmp_path) == [paths[0], paths[20], paths[40]]
    moved = [tmp_path / "new" / "a" / f"{k}.jpg" for k in range(45)]
    assert wild.held_out(tmp_path, moved) == [moved[0], moved[20], moved[40]]
    with pytest.raises(HffneError, match="held out"):
        wild.held_out(tmp_path, moved[1:20])
    with pytest.raises(HffneError, match="not a training set"):
        wild.held_out(tmp_path / "nowhere")


def test_no_photos_are_an_error(tmp_path, capsys):
    from hffne.cli.main import main

    assert main(["evaluate", "wild"]) == 1 and main(["evaluate", "wild", str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_without_mediapipe_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe.python.solutions.face_mesh", None)
    with pytest.raises(HffneError, match="MediaPipe") as caught:
        landmark_finder.LandmarkFinder()
    assert "[train]" in caught.value.hint
