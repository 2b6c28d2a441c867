# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks that the user trained, in the commands and the Python API; no measuring on what they were trained on."""

import json
import shutil

import numpy as np
import pytest

import dataset_standins
import hffne
from hffne.cli.main import main
from hffne.errors import HffneError
from hffne.models import load_models
from hffne.photo.detect import Face
from hffne.training.recipe import read_recipe
from hffne.training.sources import cropping
from tiny_training import OFTEN

TINY = {"model": "compact", "size": 64, "batch": 2, "micro_batch": 2, "steps": 1, "keep": [1], **OFTEN}


def train(folder, stage, *options, **changes):
    recipe = folder / f"{stage}.json"
    recipe.write_text(read_recipe("paper-text", stage).changed(TINY | changes).as_json())
    common = ["--recipe", recipe, "--accelerator", "cpu", "--threads", 1, "--workers", 0]
    assert main(["train", stage, *map(str, [*common, *options])]) == 0


@pytest.fixture(scope="module")
def trained(tmp_path_factory, astronaut_file):
    """Both stages after a step each, the second as A1: stage 1 on Photoface; (set, Photoface)."""
    folder = tmp_path_factory.mktemp("trained")
    dataset_standins.photoface(folder / "photoface")
    (folder / "faces").mkdir()
    shutil.copy(astronaut_file, folder / "faces")
    with pytest.MonkeyPatch.context() as patch:
        box = (15.0, 18.0, 30.0, 36.0)
        patch.setattr(cropping, "find_faces", lambda photo: [Face(box, 0.9, np.zeros((5, 2), np.float32))])
        train(folder, "paper-coarse", "--set", folder / "set", "--photoface", folder / "photoface", "--seed", 3)
        a1 = {"settings.architecture": "A1"}
        train(folder, "paper-fine", "--set", folder / "set", "--faces", folder / "faces", **a1)
    return folder / "set", folder / "photoface"


def test_the_commands_and_the_api_use_them(trained, astronaut_file, astronaut, tmp_path):
    weights = trained[0]
    for name, options in (("shipped", []), ("mine", ["--weights", str(weights)])):
        command = ["normals", str(astronaut_file), "-o", str(tmp_path / name), "--device", "cpu", "--size", "256"]
        assert main([*command, *options]) == 0
    shipped, mine = (np.load(tmp_path / n / f"{astronaut_file.stem}.npz") for n in ("shipped", "mine"))
    # The position map network is the shipped one; how far away a point is, the coarse normals tell.
    assert np.allclose(shipped["landmarks"][:, :2], mine["landmarks"][:, :2], atol=1e-4)
    for kind in ("coarse", "fine"):
        difference = np.abs(shipped[kind] - mine[kind])[mine["mask"]].mean()
        assert difference > 0.05, kind
    estimator = hffne.NormalEstimator("cpu", size=256, weights=weights)
    assert np.allclose(estimator.predict(astronaut).fine, mine["fine"], atol=1e-4)
    assert estimator.engine.networks.fine_network.variant.architecture == "A1"
    output = tmp_path / "figure.png"
    figure = ["figure", "exemplar", str(astronaut_file), "-o", str(output), "--device", "cpu"]
    assert main([*figure, "--weights", str(weights)]) == 0 and output.exists()


def test_nothing_is_measured_on_what_was_trained_on_unless_told(trained, tmp_path, capsys):
    weights, photoface = trained
    command = ["evaluate", "photoface", str(photoface), "--part", "--device", "cpu", "--weights", str(weights)]
    assert main(command) == 2  # seed 0 splits otherwise than the training's 3
    told = capsys.readouterr().err
    assert "generator.safetensors' was trained on 1 of the 1 items" in told and "--seen" in told
    # The balls have no face: past the refusal, that is what is said.
    for options in (["--seed", "3"], ["--seen"]):
        assert main([*command, *options]) != 0
        assert "No session of Photoface could be measured" in capsys.readouterr().err
    dataset_standins.photoface(tmp_path, people=4)
    assert main([*command[:2], str(tmp_path), *command[3:]]) == 2
    assert "another copy of this data set" in capsys.readouterr().err


def test_the_report_tells_the_weights(trained, tmp_path, astronaut):
    normals, mask = dataset_standins.ball(168, 192)
    np.savez(tmp_path / "yaleB01_normal.npz", normal=normals, mask=mask)
    dataset_standins.save(tmp_path / "yaleB01_A+000E+00.png", astronaut[0:192, 130:298])
    report = tmp_path / "report.json"
    assert main(["evaluate", "yaleb", str(tmp_path), "--weights", str(trained[0]), "--json", str(report)]) == 0
    weights = json.loads(report.read_text())["weights"]
    assert weights["coarse"]["task"] == "paper-coarse" and weights["coarse"]["seed"] == "3"
    assert json.loads(weights["coarse"]["input_split"])["share"] == 0.2 and weights["fine"]["data"]


def test_folders_that_hold_no_network_or_two_are_refused(trained, tmp_path):
    with pytest.raises(HffneError, match="holds no trained weights"):
        load_models("cpu", weights=tmp_path)
    generator = trained[0] / "paper-coarse" / "generator.safetensors"
    shutil.copy(generator, tmp_path / "generator.safetensors")
    assert load_models("cpu", weights=tmp_path).trained.keys() == {"coarse"}
    shutil.copy(generator, tmp_path / "other.safetensors")
    with pytest.raises(HffneError, match=r"2 coarse networks: generator\.safetensors, other\.safetensors"):
        load_models("cpu", weights=tmp_path)
    # A fine network whose exemplars would come from another coarse network than in its training.
    (tmp_path / "fine").mkdir()
    shutil.copy(trained[0] / "paper-fine" / "fine.safetensors", tmp_path / "fine")
    with pytest.raises(HffneError, match="was trained on another coarse network"):
        load_models("cpu", weights=tmp_path / "fine")


def test_a_build_hands_them_to_its_engine(trained, astronaut_file, tmp_path, built):
    from hffne_blender.engine import launch

    command = ["build", str(astronaut_file), "-o", str(tmp_path / "out"), "--weights"]
    assert main([*command, str(trained[0])]) == 0
    assert built[0][launch.WEIGHTS_VARIABLE] == str(trained[0])
    assert main([*command, str(tmp_path)]) != 0 and len(built) == 1
