# SPDX-License-Identifier: GPL-3.0-or-later
"""A network in an ONNX file in the coarse network's place: its conventions, errors, and where it is taken."""

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import hffne
from export_tiny_normals import DEVIATION, MEAN, SIZE
from hffne.cli.main import main
from hffne.errors import HffneError
from hffne.evaluation.metrics import angles
from hffne.geometry.vectors import normalize
from hffne.onnx_exemplar import EXAMPLES, OnnxExemplar, read_conventions
from hffne.photo.crop import Crop
from hffne_blender.engine import launch
from paths import DATA

TOLD = {
    "title": "tiny",
    "size": list(SIZE),
    "color": "bgr",
    "white": 255,
    "mean": list(MEAN),
    "deviation": list(DEVIATION),
    "output": "normal",
    "layout": "channels-last",
    "channels": [2, 3, 1],
    "axes": ["x", "-y", "-z"],
}


class Session:
    """The tiny network without ONNX Runtime."""

    def __init__(self, path, providers):
        if not Path(path).read_bytes():
            raise RuntimeError("empty file")

    def get_inputs(self):
        return [SimpleNamespace(name="picture")]

    def get_outputs(self):
        return [SimpleNamespace(name="depth"), SimpleNamespace(name="normal")]

    def run(self, outputs, inputs):
        assert outputs == ["normal"] and inputs["picture"].shape == (1, 3, *SIZE)
        blue, green, red = (inputs["picture"][0, k] * DEVIATION[k] + MEAN[k] for k in range(3))
        encoded = [part / 255 * 2 - 1 for part in (blue, red, green)]
        return [np.stack([0 * red, -encoded[0], encoded[1], -encoded[2]], -1)[None].astype(np.float32)]


@pytest.fixture(params=["stand-in", "onnxruntime"])
def network(request, tmp_path, monkeypatch):
    """The tiny network's file with its conventions beside it."""
    if request.param == "onnxruntime":
        pytest.importorskip("onnxruntime")
    else:
        standin = SimpleNamespace(InferenceSession=Session, get_available_providers=lambda: ["CPUExecutionProvider"])
        monkeypatch.setitem(sys.modules, "onnxruntime", standin)
    shutil.copy(DATA / "tiny_normals.onnx", tmp_path / "tiny.onnx")
    (tmp_path / "tiny.json").write_text(json.dumps(TOLD))
    return tmp_path / "tiny.onnx"


def encoded_normals(size=256):
    """A picture (S, S, 3) uint8 whose colors are the normals (S, S, 3) of a bump."""
    y, x = np.mgrid[:size, :size].astype(np.float32) / size * 2 - 1
    normal = normalize(np.dstack([0.8 * x + 0.1, -0.7 * y, np.ones_like(x)]))
    return np.round((normal * 0.5 + 0.5) * 255).astype(np.uint8), normal


def test_its_conventions_are_followed(network):
    picture, normal = encoded_normals()
    found = OnnxExemplar(network).on_crop(picture, Crop(128, 128, 256))
    assert found.shape == (256, 256, 3) and np.allclose(np.linalg.norm(found, axis=2), 1, atol=1e-5)
    inside = np.s_[8:-8, 8:-8]
    assert angles(found, normal)[inside].max() < 1


def test_it_makes_the_exemplar_and_the_shape(network, astronaut_file, astronaut, tmp_path, capsys):
    command = ["normals", str(astronaut_file), "--device", "cpu", "--size", "256"]
    for name, options in (("shipped", []), ("mine", ["--coarse", str(network)])):
        assert main([*command, "-o", str(tmp_path / name), *options]) == 0
    shipped, mine = (np.load(tmp_path / n / f"{astronaut_file.stem}.npz") for n in ("shipped", "mine"))
    mask = mine["mask"]
    wanted = normalize(astronaut / np.float32(255) * 2 - 1)
    assert np.median(angles(mine["coarse"], wanted)[mask]) < 8  # the photo read as normals, at 64 x 48
    assert (
        np.median(angles(mine["normal"], mine["coarse"])[mask])
        < 15
        < angles(mine["coarse"], shipped["coarse"])[mask].mean()
    )
    assert np.allclose(mine["landmarks"][:, :2], shipped["landmarks"][:, :2], atol=1e-4)
    assert np.abs(mine["landmarks"] - shipped["landmarks"])[:, 2].max() > 0.1  # the shape follows these normals
    again = hffne.NormalEstimator("cpu", size=256, coarse=network).predict(astronaut)
    assert np.allclose(again.coarse, mine["coarse"], atol=1e-4)


def test_a_build_hands_it_to_its_engine(network, astronaut_file, tmp_path, built):
    assert main(["build", str(astronaut_file), "-o", str(tmp_path / "out"), "--coarse", str(network)]) == 0
    assert built[0][launch.COARSE_VARIABLE] == str(network)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"color": "rbg"}, "color is 'rbg', but must be one of: rgb, bgr, gray"),
        ({"mean": [1]}, "mean has 1 values, but the input has 3 channels"),
        ({"axes": ["x", "-x", "z"]}, "axes must name x, y and z once each"),
        ({"deviation": [1, 0, 1]}, r"deviation\[1\] is 0, but must be greater than 0"),
        ({"extra": 1}, "extra is not a key"),
        ({"output": "points"}, "has no output 'points', only: depth, normal"),
        ({"layout": "channels-first"}, "is not a picture of normals in its layout"),
        ({"size": None}, "size is None, but must be a list"),
    ],
)
def test_conventions_that_do_not_fit_are_named(network, change, words):
    network.with_suffix(".json").write_text(json.dumps(TOLD | change))
    with pytest.raises(HffneError, match=words) as caught:
        OnnxExemplar(network).on_crop(encoded_normals()[0], Crop(128, 128, 256))
    assert caught.value.code == "bad_onnx" and caught.value.hint


def test_files_that_are_missing_or_damaged(network, tmp_path, monkeypatch):
    with pytest.raises(HffneError, match=r"no ONNX file '.*none\.onnx'"):
        OnnxExemplar(tmp_path / "none.onnx")
    network.with_suffix(".json").unlink()
    with pytest.raises(HffneError, match=r"no '.*tiny\.json'") as caught:
        OnnxExemplar(network)
    assert "moge-2.json" in caught.value.hint
    network.with_suffix(".json").write_text("{")
    with pytest.raises(HffneError, match="not valid JSON"):
        OnnxExemplar(network)
    network.with_suffix(".json").write_text(json.dumps(TOLD))
    network.write_bytes(b"")
    with pytest.raises(HffneError, match="cannot be loaded"):
        OnnxExemplar(network)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(HffneError, match="ONNX Runtime is not installed") as caught:
        OnnxExemplar(network)
    assert "pip install onnxruntime" in caught.value.hint


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_the_examples_are_valid_and_say_that_they_are_untested(path):
    assert "not tested" in read_conventions(path).title
