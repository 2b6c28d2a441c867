# SPDX-License-Identifier: GPL-3.0-or-later
"""Exemplars from a file and from the base mesh: read as they are meant, and given to the fine network alone."""

import zlib
from pathlib import Path

import numpy as np
import pytest

import hffne.models
from hffne.cli.main import main
from hffne.evaluation.metrics import angles
from hffne.exemplar import ExemplarError, read_exemplar
from hffne.geometry.grids import sample
from hffne.geometry.project import project
from hffne.geometry.uv import template
from hffne.normal_file import encode_png
from hffne.photo.detect import Face
from hffne.photo.load import Photo
from hffne.pipeline import Engine
from posed_head import PosedModels, position_map, turned


@pytest.fixture
def ball():
    """A ball's normals (300, 400, 3) and mask, not in the middle."""
    y, x = np.mgrid[:300, :400].astype(np.float32)
    x, y = (x - 250) / 100, -(y - 120) / 100
    mask = x**2 + y**2 < 1
    normal = np.dstack([x, y, np.sqrt(np.clip(1 - x**2 - y**2, 0, None))]) * mask[..., None]
    return normal.astype(np.float32), mask


def test_a_file_is_laid_on_the_face(ball, tmp_path):
    normal, mask = ball
    np.savez(tmp_path / "a.npz", normal=normal, mask=mask)
    (tmp_path / "ä.png").write_bytes(encode_png(normal, mask))
    position = position_map(turned(20, -8, 6))
    face = project(position).mask
    row, column = (round(axis.mean()) for axis in np.nonzero(face))
    radius = np.sqrt(face.sum() / np.pi)
    left, up = round(column - 0.9 * radius), round(row - 0.9 * radius)
    for name in ("a.npz", "ä.png"):
        got = read_exemplar(tmp_path / name).on_crop(position, face)
        assert got.shape == (256, 256, 3) and got[row, left, 0] < -0.7 and got[up, column, 1] > 0.7
        assert got[row, column, 2] > 0.99 and not got[0, 0].any()
        length = np.linalg.norm(got, axis=2)
        assert np.abs(length[length > 0] - 1).mean() < 0.05 and (length > 0.5).sum() == pytest.approx(
            face.sum(), rel=0.05
        )
        framed = read_exemplar(tmp_path / name).on_mean_face()
        assert framed[128, 128, 2] > 0.9 and not framed[0, 0].any()
    # Without a face that is known, a picture is a whole crop.
    np.savez(tmp_path / "whole.npz", normal=np.broadcast_to(np.float32([0.6, 0, 0.8]), (50, 50, 3)))
    assert np.allclose(
        read_exemplar(tmp_path / "whole.npz").on_crop(position, face)[2:-2, 2:-2], [0.6, 0, 0.8], atol=1e-3
    )


def test_landmarks_turn_and_place_a_file(tmp_path):
    position = position_map(turned(0, 0, 0))
    points = sample(position, template().landmarks)
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])  # clockwise, for y counts down
    points[:, :2] = 2 * (points[:, :2] - 128) @ turn.T + 300
    # Looking along the photo's x: after turning back, up by 30 degrees.
    coarse = np.broadcast_to(np.float32([1, 0, 0]), (600, 600, 3))
    np.savez(tmp_path / "t.npz", coarse=coarse, normal=coarse * 0, mask=np.ones((600, 600), bool), landmarks=points)
    got = read_exemplar(tmp_path / "t.npz").on_crop(position, project(position).mask)
    assert np.allclose(got[128, 128], [np.cos(angle), np.sin(angle), 0], atol=1e-3)


def test_other_files_are_refused(tmp_path, astronaut_file, capsys):
    (tmp_path / "broken.npz").write_bytes(b"PK but no archive")
    np.savez(tmp_path / "other.npz", depth=np.zeros((64, 64)))
    np.savez(tmp_path / "long.npz", normal=np.full((64, 64, 3), 3.0))
    (tmp_path / "empty.png").touch()
    for path in (*sorted(tmp_path.iterdir()), tmp_path / "none.png", astronaut_file):
        with pytest.raises(ExemplarError, match=path.name):
            read_exemplar(path)
    out = tmp_path / "out"
    assert main(["normals", str(astronaut_file), "-o", str(out), "--exemplar", str(tmp_path / "none.png")]) == 2
    assert "none.png" in capsys.readouterr().err and not out.exists()


def test_only_the_fine_network_gets_it(monkeypatch, astronaut):
    models = PosedModels(turned(20, -8, 6))
    monkeypatch.setattr(hffne.models, "load_models", lambda device, model, **_: models)
    monkeypatch.setattr(hffne.models, "device_name", lambda device: "stand-in")
    given, fine = [], models.fine
    models.fine = lambda gray, exemplar, area=None: given.append(exemplar) or fine(gray, exemplar)
    engine, photo = Engine(), Photo(astronaut, Path("a.png"))
    face = Face((180.0, 60.0, 100.0, 130.0), 0.9, np.zeros((5, 2), np.float32))
    own = np.zeros((256, 256, 3), np.float32) + np.float32([0.6, 0, 0.8])
    plain = engine.normals(photo, face)
    from_base = engine.normals(photo, face, exemplar="base")
    from_file = engine.normals(photo, face, exemplar=own)
    assert np.array_equal(given[0], plain.coarse) and np.allclose(given[2], own, atol=1e-6)
    shown = from_base.projection.mask
    angle = np.degrees(np.arccos(np.clip((given[1] * from_base.projection.normal).sum(2)[shown], -1, 1)))
    assert np.median(angle) < 1
    assert np.allclose(given[1][~shown], plain.coarse[~shown], atol=1e-6)
    assert np.array_equal(from_file.coarse, plain.coarse)


def test_a_faces_own_exemplar_from_a_file_changes_nothing(astronaut_file, tmp_path):
    again = tmp_path / "again"
    command = ["normals", str(astronaut_file), "--device", "cpu", "--size", "256", "-o"]
    assert main([*command, str(tmp_path)]) == 0
    own = tmp_path / f"{astronaut_file.stem}.npz"
    assert main([*command, str(again), "--exemplar", str(own)]) == 0
    with np.load(own) as first, np.load(again / own.name) as second:
        assert np.array_equal(first["coarse"], second["coarse"])
        assert angles(first["fine"], second["fine"])[first["mask"]].mean() < 0.5


@pytest.mark.parametrize("side", [10_000, 14_000, 20_000])
def test_a_picture_that_is_too_large_is_told_its_size(side, tmp_path):
    size = side.to_bytes(4, "big")
    header = b"IHDR" + size + size + b"\x08\x02\0\0\0"
    start = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    (tmp_path / "large.png").write_bytes(start + b"\0\0\0\0IDAT" + zlib.crc32(b"IDAT").to_bytes(4, "big"))
    with pytest.raises(ExemplarError, match=rf"{side} x {side}|{side * side // 1_000_000} million"):
        read_exemplar(tmp_path / "large.png")
