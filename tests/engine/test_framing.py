# SPDX-License-Identifier: GPL-3.0-or-later
"""What the networks see of a photo: our own crop, the published framing, or the picture as it is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hffne.models
import hffne.pipeline
from hffne.cli.main import main
from hffne.errors import HffneError
from hffne.evaluation.metrics import angles
from hffne.photo.crop import PUBLISHED, extract_crop, to_gray
from hffne.photo.detect import find_faces, whole_picture
from hffne.photo.load import Photo
from hffne.pipeline import Engine
from posed_head import PosedModels, turned


class Recording(PosedModels):
    """Keeps what the networks are given."""

    def __init__(self, name):
        super().__init__(turned(0, 0, 0))
        self.name, self.positions, self.coarses, self.fines = name, [], [], []

    def position_map(self, gray):
        self.positions += list(gray)
        return super().position_map(gray)

    def coarse(self, gray):
        self.coarses += [*gray.reshape(-1, *gray.shape[-2:])]
        return super().coarse(gray)

    def fine(self, gray, coarse, area=None):
        self.fines.append(gray)
        return coarse


@pytest.fixture
def recording(monkeypatch):
    def make(name, **options):
        models = Recording(name)
        monkeypatch.setattr(hffne.models, "load_models", lambda *_, **__: models)
        monkeypatch.setattr(hffne.models, "device_name", lambda device: "stand-in")
        return Engine(size=256, **options), models

    return make


def test_the_published_network_sees_its_own_framing(recording, astronaut, monkeypatch):
    # The published configuration leaves the position map network's shape as it is.
    for change in ("shape_by_normals", "on_outlines"):
        monkeypatch.setattr(hffne.pipeline, change, lambda shape, *_: shape)
    photo = Photo(astronaut, Path("a.png"))
    face = find_faces(photo)[0]
    wide_engine, wide = recording("compact")
    own = wide_engine.normals(photo, face)
    engine, models = recording("paper")
    estimate = engine.normals(photo, face)
    assert estimate.crop.side == pytest.approx(own.crop.side / PUBLISHED)
    assert (estimate.crop.center_x, estimate.crop.center_y) == (own.crop.center_x, own.crop.center_y)
    seen = to_gray(extract_crop(photo.rgb, estimate.crop))
    assert np.array_equal(models.coarses[0], seen) and np.array_equal(models.fines[0], seen)
    assert np.array_equal(models.positions[-2], wide.positions[-2])  # the position map network keeps what it knows
    # The face's shape lies where it did on the photo.
    assert np.abs(estimate.landmarks - own.landmarks).max() < 0.05
    both = own.on_photo(photo.rgb.shape)[2] & estimate.on_photo(photo.rgb.shape)[2]
    assert 0.9 * own.on_photo(photo.rgb.shape)[2].sum() < both.sum() < own.on_photo(photo.rgb.shape)[2].sum()
    # A mesh has the whole face, and the camera of the wide crop.
    built, wanted = (e.build(photo, one, 128, grid=32) for e, one in ((engine, estimate), (wide_engine, own)))
    assert np.abs(built.mesh.vertices - wanted.mesh.vertices).max() < 1e-4
    assert built.camera["crop"]["side"] == pytest.approx(wanted.camera["crop"]["side"], rel=0.01)
    assert np.abs(built.textures.confidence.astype(float) - wanted.textures.confidence).mean() < 0.05
    as_before, _ = recording("paper", framing="wide")
    assert as_before.normals(photo, face).crop == own.crop


def test_a_picture_as_it_is(recording):
    rng = np.random.default_rng(0)
    photo = Photo(rng.integers(0, 255, (256, 256, 3), np.uint8), Path("a.png"))
    engine, models = recording("compact", framing="picture")
    estimate = engine.normals(photo, whole_picture(photo))
    assert np.allclose(models.coarses[0], to_gray(photo.rgb) / 255, atol=1e-5)
    assert (estimate.crop.side, estimate.crop.center_x) == (256, 128)


def test_an_unknown_framing_is_an_error(recording):
    with pytest.raises(HffneError, match="no framing 'square'"):
        recording("compact", framing="square")


def test_the_commands_take_a_framing(astronaut, astronaut_file, tmp_path):
    command = ["normals", "--device", "cpu", "--size", "256", "-o", str(tmp_path)]
    assert main([*command, str(astronaut_file), "--crop", "published"]) == 0
    photo = Photo(astronaut, Path("a.png"))
    crop = Engine("cpu", size=256).crop(photo, find_faces(photo)[0])
    half = crop.side / PUBLISHED / 2
    x, y = crop.center_x, crop.center_y
    cut = [round(v) for v in (x - half, y - half, x + half, y + half)]
    Image.fromarray(astronaut).crop(cut).save(tmp_path / "cut.png")
    assert main([*command, str(tmp_path / "cut.png"), "--crop", "picture"]) == 0
    with np.load(tmp_path / f"{astronaut_file.stem}.npz") as whole, np.load(tmp_path / "cut.npz") as part:
        same = np.s_[cut[1] : cut[3], cut[0] : cut[2]]
        mask = part["mask"] & whole["mask"][same]
        assert mask.mean() > 0.3 and angles(part["coarse"], whole["coarse"][same])[mask].mean() < 4


def test_a_textured_face_of_the_published_framing_is_whole(astronaut):
    photo = Photo(astronaut, Path("a.png"))
    face = find_faces(photo)[0]
    wide, tight = (Engine("cpu", size=256, framing=framing) for framing in ("wide", "published"))
    normals = [e.build(photo, e.normals(photo, face), 256, grid=32).textures for e in (wide, tight)]
    seen = normals[0].confidence > 0.9
    error = angles(normals[0].normal, normals[1].normal)
    # Also where the small square does not reach: forehead and chin.
    assert error[seen].mean() < 6 and np.percentile(error[seen], 99) < 35
