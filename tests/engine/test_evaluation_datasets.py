# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate photoface|florence`: with an engine whose error is known, and the commands with the real networks."""

import json

import numpy as np
import pytest
from PIL import Image

import dataset_standins as standins
from hffne.cli.main import main
from hffne.datasets import florence as florence_files
from hffne.datasets import photoface as photoface_files
from hffne.errors import HffneError
from hffne.evaluation import florence, photoface
from hffne.evaluation.ground_truth import face_region, table
from hffne.evaluation.metrics import angles
from hffne.photo.detect import Face
from rotations import tilted
from tilting_engine import TiltingEngine


def quiet(text):
    pass


def in_the_middle(picture):
    height, width = getattr(picture, "rgb", picture).shape[:2]
    return [Face((width * 0.2, height * 0.2, width * 0.6, height * 0.6), 0.9, np.zeros((5, 2), np.float32))]


def tilt_of(truth, mask, degrees=7):
    """The mean angle by which a rotation about x turns the normals in a mask: those near the axis turn less."""
    return angles(truth @ tilted(degrees).T, truth)[mask].mean()


def test_photoface_measures_each_photo_of_a_session_on_the_face(tmp_path, monkeypatch):
    standins.photoface(tmp_path)
    sessions = photoface_files.find(tmp_path, part=True)
    monkeypatch.setattr(photoface, "find_faces", in_the_middle)
    normal, mask = sessions[0].ground_truth()
    engine = TiltingEngine(normal, mask)
    (sessions[1].folder / "im1.bmp").write_bytes(b"BM")
    (sessions[2].folder / "im2.bmp").unlink()
    with pytest.raises(HffneError, match=r"lacks im2\.bmp"):
        photoface_files.find(tmp_path)
    told = []
    results, left_out = photoface.evaluate(engine, photoface_files.find(tmp_path, part=True)[:3], report=told.append)
    assert left_out == [sessions[1].name, sessions[2].name]
    assert any("im1.bmp" in text for text in told) and any("im2.bmp" in text for text in told)
    assert [(r.name, r.group) for r in results] == [(sessions[0].name, f"im{k}") for k in range(4)]
    face = mask & face_region(in_the_middle(mask[..., None])[0], mask.shape)
    assert results[2].raw.mean == pytest.approx(tilt_of(normal, face), abs=0.02) and results[2].rotated.mean < 0.02
    assert results[0].raw.under_20 == 100 and "mean, im3" in table(results)


def test_sessions_that_cannot_be_measured_are_an_error(tmp_path, monkeypatch):
    standins.photoface(tmp_path, people=1)
    monkeypatch.setattr(photoface, "find_faces", lambda picture: [])
    with pytest.raises(HffneError, match="No session"):
        photoface.evaluate(None, photoface_files.find(tmp_path, part=True), report=quiet)


def test_florence_measures_against_the_scan(tmp_path, monkeypatch):
    standins.florence(tmp_path)
    scans = florence_files.find(tmp_path, part=True)
    monkeypatch.setattr(florence, "find_faces", in_the_middle)
    _, normal, mask = scans[0].render(80)
    results, left_out = florence.evaluate(TiltingEngine(normal, mask), scans, report=quiet, size=80)
    face = mask & face_region(in_the_middle(mask[..., None])[0], mask.shape)
    assert len(results) == 2 and not left_out
    assert results[0].raw.mean == pytest.approx(tilt_of(normal, face), abs=0.02) and results[0].rotated.mean < 0.02


def test_the_face_is_the_ellipse_of_its_box():
    region = face_region(Face((10, 20, 40, 60), 1.0, None), (100, 80))
    row, column = np.nonzero(region)
    assert (column.min(), column.max(), row.min(), row.max()) == (10, 49, 20, 79)
    assert region.sum() == pytest.approx(np.pi * 20 * 30, rel=0.01) and not region[21, 12]


@pytest.fixture(scope="module")
def lit_astronaut(astronaut, tmp_path_factory):
    """The astronaut's face painted onto a ball and photographed under four lights, as one session of Photoface."""
    folder = tmp_path_factory.mktemp("photoface")
    face = astronaut[0:220, 120:320].astype(np.float32) / 255
    normals, mask = standins.ball(200, 220)
    inner = folder / "1001" / "2008-02-10_12-21-31"
    for number, place in enumerate(standins.FOUR):
        shade = np.where(mask, np.clip(normals @ standins.polar(*place), 0, 1), 0)
        standins.save(inner / f"im{number}.bmp", np.round(face * shade[..., None] * 255).astype(np.uint8))
    (inner / "LightSource.m").write_text(standins.light_source())
    return folder


@pytest.fixture(scope="module")
def painted_head(astronaut, tmp_path_factory):
    """The same face on an ellipsoid scan, as one subject of Florence."""
    folder = tmp_path_factory.mktemp("florence")
    standins.florence(folder, subjects=(1,))
    (scan,) = florence_files.find(folder, part=True)
    # The picture lies on the front half of the head: u runs around from the back, by the picture's right.
    face = np.asarray(Image.fromarray(astronaut[0:220, 120:320][:, ::1]).resize((400, 440)))
    u, v = np.meshgrid((np.arange(512) + 0.5) / 512, (np.arange(256) + 0.5) / 256)
    around, polar = u * 2 * np.pi, v * np.pi
    x, y = np.sin(polar) * np.sin(around), np.cos(polar)
    texture = face[np.clip((0.5 - y / 2) * 440, 0, 439).astype(int), np.clip((x / 2 + 0.5) * 400, 0, 399).astype(int)]
    standins.save(scan.path.with_suffix(".png"), texture)
    return folder


@pytest.mark.parametrize("name", ["photoface", "florence"])
def test_the_command_with_the_networks(name, lit_astronaut, painted_head, tmp_path, capsys):
    folder = {"photoface": lit_astronaut, "florence": painted_head}[name]
    options = ["--share", "1"] if name == "photoface" else ["--size", "256"]
    json_path, sheet_path = tmp_path / "out" / "a.json", tmp_path / "out" / "a.png"
    command = ["evaluate", name, str(folder), "--part", *options, "--json", str(json_path), "--sheet", str(sheet_path)]
    assert main(command) == 0
    shown = capsys.readouterr()
    data = json.loads(json_path.read_text())
    assert data["benchmark"] == name and f"{data['mean']['raw']['mean']:.2f}" in shown.out
    assert data["mean"]["photos"] == (4 if name == "photoface" else 1) and data["left_out"] == []
    assert data["mean"]["without_face"] < data["mean"]["photos"]
    assert "| fine |" in shown.out and "| coarse |" in shown.out
    with Image.open(sheet_path) as picture:
        assert picture.size[0] > 1500
    assert main(["evaluate", name, str(folder)]) == 1
    assert "not complete" in capsys.readouterr().err and not list(tmp_path.glob("*"))[1:]


@pytest.mark.parametrize(
    "options", [["photoface", "--share", "0"], ["florence", "--size", "0"], ["florence", "--size", "99999"]]
)
def test_wrong_options_are_errors(options, tmp_path, capsys):
    standins.photoface(tmp_path, people=1)
    standins.florence(tmp_path, subjects=(1,))
    assert main(["evaluate", options[0], str(tmp_path), "--part", *options[1:]]) == 2
    error = capsys.readouterr().err
    assert options[2] in error and options[1] in error and "internal" not in error
