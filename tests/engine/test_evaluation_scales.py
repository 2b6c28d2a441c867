# SPDX-License-Identifier: GPL-3.0-or-later
"""Larger crops: finer relief, the same shape; the measurements of both, and the options."""

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import hffne.models
from hffne.cli.main import main
from hffne.evaluation import scales
from hffne.geometry.vectors import normalize
from hffne.photo.crop import Crop
from hffne.photo.detect import Face, find_faces
from hffne.photo.load import Photo
from hffne.pipeline import Engine


@pytest.fixture(scope="module")
def photo(astronaut):
    # The enlarged face alone: the test is about the pipeline, not the photo.
    return Photo(cv2.resize(astronaut[20:240, 110:330], (660, 660), interpolation=cv2.INTER_CUBIC), Path("face.png"))


@pytest.fixture(scope="module")
def measured(photo):
    seen = {}
    result = scales.measure(
        Engine("cpu"),
        photo,
        find_faces(photo)[0],
        (256, 512),
        lambda size, gray, normal, mask: seen.update({size: (gray, normal, mask)}),
    )
    return result, seen


def test_a_larger_crop_adds_finer_relief_to_the_same_shape(measured):
    small, large = measured[0].scales
    assert (small.size, large.size) == (256, 512)
    # The small crop contains nothing finer than half a pixel of 256; broad relief comes from it in both results.
    # How much more depends on the weights: 2.2 times with version 3's, 1.5 with version 4's, whose small crop has twice
    # the relief that it had.
    assert large.energy[0] > 1.3 * small.energy[0]
    assert large.energy[3] == pytest.approx(small.energy[3], rel=0.05)
    assert small.drift < 0.1 and large.drift < 0.5


def test_the_result_is_on_the_larger_crop(measured):
    gray, normal, mask = measured[1][512]
    assert gray.shape == mask.shape == (512, 512) and normal.shape == (512, 512, 3)
    assert np.allclose(np.linalg.norm(normal, axis=2), 1, atol=1e-4)
    small = cv2.resize(measured[1][256][2].astype(np.uint8), (512, 512)) > 0
    assert (small != mask).mean() < 0.01


def test_bands_and_their_light_are_measured():
    size = 256
    x = np.arange(size, dtype=np.float32)
    wave = np.broadcast_to(np.sin(x * 2 * np.pi / 16), (size, size))  # sigma 16 / 2 pi: between 2 and 4 px
    normal = normalize(np.dstack([0.1 * wave, 0 * wave, np.ones_like(wave)])).astype(np.float32)

    class Waves:
        def crop(self, photo, face):
            return Crop(128, 128, 256)

        def normals_on(self, photo, crop, size):
            at = cv2.resize(normal, (size, size), interpolation=cv2.INTER_CUBIC)
            mask = np.zeros((size, size), bool)
            mask[size // 4 : -size // 4, size // 4 : -size // 4] = True
            return SimpleNamespace(normal=normalize(at), mask=mask)

    picture = np.repeat(np.uint8(128 + 60 * wave)[..., None], 3, 2)
    result = scales.measure(Waves(), Photo(picture, Path("w.png")), Face((0, 0, 1, 1), 1, None), (256, 512))
    for scale in result.scales:
        assert int(np.argmax(scale.energy)) == 3 and scale.explained[3] > 0.95 and scale.drift < 0.05
    text = scales.table([result, scales.PhotoScales("b", missing="no face found")])
    assert "1 of 2" in text and f"{result.scales[0].energy[3]:.2f}°" in text
    assert json.loads(json.dumps(scales.as_dict([result])))["mean"]["512"]["drift"] < 0.05


@pytest.mark.parametrize("verb", ["normals", "build"])
def test_a_wrong_size_is_an_error_at_once(verb, astronaut_file, tmp_path, capsys):
    assert main([verb, str(astronaut_file), "-o", str(tmp_path / "out"), "--size", "300"]) == 2
    assert "300" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_the_size_reaches_the_fine_network(astronaut_file, tmp_path, monkeypatch):
    asked = []
    fine = hffne.models.Models.fine
    monkeypatch.setattr(
        hffne.models.Models,
        "fine",
        lambda self, gray, exemplar, area=None: (asked.append(gray.shape), fine(self, gray, exemplar, area))[1],
    )
    assert main(["normals", str(astronaut_file), "-o", str(tmp_path), "--size", "288", "--device", "cpu"]) == 0
    assert asked == [(256, 256), (288, 288)]
    asked.clear()
    # A face of 100 pixels: more than 256 would show no more.
    assert main(["normals", str(astronaut_file), "-o", str(tmp_path), "--size", "auto", "--device", "cpu"]) == 0
    assert asked == [(256, 256)]
    with np.load(tmp_path / "astronaut.npz") as data:
        assert data["normal"].shape == (512, 512, 3) and data["mask"].any()
