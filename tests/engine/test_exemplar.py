# SPDX-License-Identifier: GPL-3.0-or-later
"""Exemplars from a file and from the base mesh: read as they are meant, and given to the fine network alone."""

from pathlib import Path

import numpy as np
import pytest

import hffne.models
from hffne.cli.main import main
from hffne.exemplar import ExemplarError, read_exemplar
from hffne.normal_file import encode_png
from hffne.photo.detect import Face
from hffne.photo.load import Photo
from hffne.pipeline import Engine
from posed_head import PosedModels, turned


@pytest.fixture
def ball():
    """A ball's normals (300, 400, 3) and mask, not in the middle."""
    y, x = np.mgrid[:300, :400].astype(np.float32)
    x, y = (x - 250) / 100, -(y - 120) / 100
    mask = x**2 + y**2 < 1
    normal = np.dstack([x, y, np.sqrt(np.clip(1 - x**2 - y**2, 0, None))]) * mask[..., None]
    return normal.astype(np.float32), mask


def test_a_file_is_cut_to_its_face(ball, tmp_path):
    normal, mask = ball
    np.savez(tmp_path / "a.npz", normal=normal, mask=mask)
    got = read_exemplar(tmp_path / "a.npz")
    assert got.shape == (256, 256, 3) and np.allclose(np.linalg.norm(got, axis=2), 1, atol=1e-4)
    # The ball fills the square: left looks left, up looks up, the corners face the viewer.
    assert got[128, 20, 0] < -0.7 and got[20, 128, 1] > 0.7 and got[128, 128, 2] > 0.99
    assert np.allclose(got[0, 0], [0, 0, 1])
    (tmp_path / "ä.png").write_bytes(encode_png(normal, mask))
    picture = read_exemplar(tmp_path / "ä.png")  # flat around the ball, so it is not cut
    assert picture[102, 120, 0] < -0.2 and picture[102, 200, 0] > 0.2


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
    assert np.array_equal(given[0], plain.coarse) and np.array_equal(given[2], own)
    shown = from_base.projection.mask
    angle = np.degrees(np.arccos(np.clip((given[1] * from_base.projection.normal).sum(2)[shown], -1, 1)))
    assert np.median(angle) < 1
    assert np.array_equal(from_file.coarse, plain.coarse)
