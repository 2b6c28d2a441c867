# SPDX-License-Identifier: GPL-3.0-or-later
"""Anyone's normals from files in the benchmarks' tables, and the truth by plain least squares beside the robust one."""

import json

import numpy as np
import pytest

import dataset_standins as standins
from hffne.cli.main import main
from hffne.datasets import photoface as photoface_files
from hffne.evaluation import florence, photoface
from hffne.evaluation.metrics import angles
from hffne.geometry.photometric_stereo import photometric_stereo
from hffne.normal_file import encode_png
from hffne.photo.detect import Face
from rotations import tilted


def in_the_middle(picture):
    height, width = getattr(picture, "rgb", picture).shape[:2]
    return [Face((width * 0.2, height * 0.2, width * 0.6, height * 0.6), 0.9, np.zeros((5, 2), np.float32))]


@pytest.fixture
def faces(monkeypatch):
    for module in (photoface, florence):
        monkeypatch.setattr(module, "find_faces", in_the_middle)


def report(tmp_path, *options):
    path = tmp_path / "report.json"
    code = main(["evaluate", *map(str, options), "--part", "--json", str(path)])
    return code, json.loads(path.read_text()) if path.exists() else {}


def test_photoface_measures_anyones_normals(tmp_path, faces, capsys):
    truth, mask = standins.photoface(tmp_path / "data")
    theirs = tmp_path / "theirs"
    turned = truth @ tilted(7).T
    for session in photoface_files.find(tmp_path / "data", part=True):
        folder = theirs / session.person / session.time
        folder.mkdir(parents=True)
        for number in range(3):
            np.savez(folder / f"im{number}.npz", normal=turned * mask[..., None])
        # The same as a picture, its folders joined in its name.
        (theirs / f"{session.person}_{session.time}_im3.png").write_bytes(encode_png(turned.astype(np.float32), mask))
    command = ["photoface", tmp_path / "data", "--share", "1", "--normals", theirs]
    code, found = report(tmp_path, *command)
    assert code == 0 and found["model"] == "files" and len(found["faces"]) == 24
    for face in found["faces"]:
        assert 4 < face["raw"]["mean"] < 7.1 and face["rotated"]["mean"] < 0.3 and face["stages"] == {}
    # The balls have no shadow in their middle: both truths are the same there.
    assert found["mean_to_plain"]["raw"]["mean"] == pytest.approx(found["mean"]["raw"]["mean"], abs=0.5)
    assert "to plain least squares (24)" in capsys.readouterr().out
    assert report(tmp_path, *command, "--no-merge")[0] == 2
    assert "--no-merge says nothing of the normals" in capsys.readouterr().err
    (theirs / session.person / session.time / "im1.npz").unlink()
    assert report(tmp_path, *command)[0] == 1
    assert f"has no normals of {session.person}/{session.time}/im1" in capsys.readouterr().err


def test_florence_measures_them_too_and_their_size_counts(tmp_path, faces, capsys):
    standins.florence(tmp_path / "data", subjects=(1,))
    flat = np.zeros((96, 96, 3), np.float32) + np.float32([0, 0, 1])
    (tmp_path / "theirs").mkdir()
    np.savez(tmp_path / "theirs" / "subject_01.npz", normal=flat)
    command = ["florence", tmp_path / "data", "--size", "96", "--normals", tmp_path / "theirs"]
    code, found = report(tmp_path, *command)
    assert code == 0 and 5 < found["mean"]["raw"]["mean"] < 60
    np.savez(tmp_path / "theirs" / "subject_01.npz", normal=flat[:50])
    assert report(tmp_path, *command)[0] == 1
    assert "is 96 x 50 pixels, its photo 96 x 96" in capsys.readouterr().err
    (tmp_path / "theirs" / "subject_01.npz").write_bytes(b"no archive")
    assert report(tmp_path, *command)[0] == 1
    assert "holds no normals" in capsys.readouterr().err
    assert report(tmp_path, *command[:-1], tmp_path / "nowhere")[0] == 2


def test_plain_least_squares_excludes_nothing():
    normals, mask = standins.ball(60, 60)
    lights = np.stack([standins.polar(*place) for place in standins.FOUR])
    photos = np.clip(np.einsum("li,hwi->lhw", lights, normals), 0, 1) * 0.8 * mask
    photos[2, 25:35, 25:35] = 0.02  # a shadow that was cast
    robust, plain = (photometric_stereo(photos, lights, plain=kind) for kind in (False, True))
    shadow, middle = np.s_[27:33, 27:33], np.s_[38:42, 20:40]
    assert angles(robust.normal, normals)[shadow].mean() < 2 < 15 < angles(plain.normal, normals)[shadow].mean()
    assert angles(plain.normal, normals)[middle].mean() < 1 and plain.used[:, mask].mean() > robust.used[:, mask].mean()
