# SPDX-License-Identifier: GPL-3.0-or-later
"""The training loop on a tiny set: equal runs, exact resume, checkpoints that do not fit, notes of weights."""

import json
import signal
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hffne.cli.main import main
from hffne.errors import CheckpointError, TrainingError
from hffne.training import loop, losses
from hffne.training.fabric import make_fabric
from hffne.training.sources.closeups import CloseupSamples
from hffne.training.sources.face_set import FaceSamples
from hffne.training.sources.features import FeatureSamples
from hffne.training.sources.parsing import ParsingSamples
from hffne.training.sources.shading import ShadingSamples
from hffne.training.tasks.base import TrainingTask
from hffne.weights.notes import file_hash, read_notes
from hffne.weights.store import FOLDER, load_weights
from tiny_training import Balls, make_task, run, tiny_recipe

NETWORKS = {name: name for name in ("prn", "coarse", "fine", "parsing", "shading", "eyes")} | {
    "paper-coarse": "generator",
    "paper-fine": "fine",
}


pytestmark = pytest.mark.usefixtures("one_thread")


def train(folder, task, tiny_set, steps=3, changes=(), **options):
    """A tiny training; returns what its file of weights holds."""
    recipe = tiny_recipe(task, "compact" if task.startswith("paper-") else task, steps=steps, **dict(changes))
    of_colors = {"parsing": ParsingSamples, "shading": ShadingSamples, "eyes": FeatureSamples}
    if task in of_colors:
        source, held_out = (of_colors[task](tiny_set, recipe.size, recipe.data, held_out) for held_out in (False, True))
    elif task == "fine":
        source, held_out = (CloseupSamples(tiny_set, recipe.data, held_out) for held_out in (False, True))
    else:
        source = FaceSamples(tiny_set, recipe.size, recipe.data)
        held_out = FaceSamples(tiny_set, recipe.size, recipe.data.for_checking(), held_out=True)
    run(folder, recipe, source, held_out=held_out, **options)
    return content(folder / f"{NETWORKS[task]}.safetensors")


def content(path):
    """The notes and the tensors of a file; the order of the notes in it is not always the same."""
    return read_notes(path), {name: (v.dtype, v.shape, v.numpy().tobytes()) for name, v in load_file(path).items()}


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("task", NETWORKS)
def test_equal_seeds_give_equal_weights_stopped_or_not(tiny_set, tmp_path, task):
    whole = train(tmp_path / "whole", task, tiny_set)
    train(tmp_path / "parts", task, tiny_set, until=1)
    assert [line["step"] for line in log(tmp_path / "parts")] == [1]
    if task == "coarse":  # the loop's own, whatever is trained
        said = []
        train(tmp_path / "parts", task, tiny_set, until=1, report=said.append)
        assert len(said) == 1 and "step 1 of 3 is done" in said[0]
        assert train(tmp_path / "other", task, tiny_set, seed=1)[1] != whole[1]
    assert train(tmp_path / "parts", task, tiny_set, workers=1) == whole
    first, second = log(tmp_path / "whole"), log(tmp_path / "parts")
    for line in first + second:
        line.pop("seconds")
    # A run that stops is also checked where it stops.
    names = [name for name in first[-1] if "/check/" in name]
    assert names and all(np.isfinite(first[-1][name]) for name in names)
    assert first[1:] == second[1:]


def test_weights_load_and_say_how_they_were_made(tiny_set, tmp_path, capsys):
    train(tmp_path, "coarse", tiny_set, seed=5, inputs={"start": "abc"})
    recipe = tiny_recipe("coarse", "coarse", steps=3)
    path = tmp_path / "coarse.safetensors"
    load_weights(make_task(recipe).networks["coarse"], path)
    notes = read_notes(path)
    assert (notes["task"], notes["steps"], notes["seed"], notes["input_start"]) == ("coarse", "3", "5", "abc")
    assert notes["recipe_hash"] == recipe.digest and len(notes["data"]) == 16 and notes["version"]
    assert main(["weights", "show", str(path)]) == 0
    assert f"recipe_hash: {recipe.digest}" in capsys.readouterr().out
    assert main(["weights", "show", "--recipe", str(path)]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(recipe.as_json())
    assert main(["weights", "show", str(FOLDER / "coarse.safetensors")]) == 0
    assert "recipe: none" in capsys.readouterr().out
    assert main(["weights", "show", str(tmp_path / "log.jsonl")]) != 0


def test_killed_between_checkpoint_and_weights(tiny_set, tmp_path, monkeypatch):
    whole = train(tmp_path / "whole", "coarse", tiny_set, changes={"keep": [2]})
    early = content(tmp_path / "whole" / "coarse_2.safetensors")
    for last in (2, 3):
        folder = tmp_path / f"killed_{last}"

        def killed(*_):
            raise MemoryError

        with monkeypatch.context() as patch, pytest.raises(MemoryError):
            if last == 3:
                train(folder, "coarse", tiny_set, until=2, changes={"keep": [2]})
            patch.setattr(loop, "save_weights", killed)
            train(folder, "coarse", tiny_set, changes={"keep": [2]})
        assert train(folder, "coarse", tiny_set, changes={"keep": [2]}) == whole
        assert content(folder / "coarse_2.safetensors") == early
    (folder / "coarse.safetensors").unlink()
    said = []
    assert train(folder, "coarse", tiny_set, changes={"keep": [2]}, report=said.append) == whole
    assert "all steps are done" in said[0]


def test_a_checkpoint_that_does_not_fit_is_refused(tiny_set, tmp_path):
    train(tmp_path, "coarse", tiny_set, until=1)
    good = (tmp_path / "checkpoint.pt").read_bytes()

    def refused(words, **options):
        with pytest.raises(CheckpointError, match=words) as caught:
            train(tmp_path, "coarse", tiny_set, **options)
        assert caught.value.exit_code == 2 and caught.value.hint

    refused("steps was 3, now it is 4", steps=4)  # the learning rate of each step depends on it
    refused("seed was 0, now it is 1", seed=1)
    refused("optimizer.learning_rate was 0.0015, now it is 0.5", changes={"learning_rate": 0.5})
    refused("input start was not given, now it is abc", inputs={"start": "abc"})
    recipe = tiny_recipe("coarse", "coarse", steps=3)
    with pytest.raises(CheckpointError, match="data was"):
        run(tmp_path, recipe, Balls())
    assert (tmp_path / "checkpoint.pt").read_bytes() == good
    for damaged in (b"", b"no checkpoint", good[: len(good) // 2]):
        (tmp_path / "checkpoint.pt").write_bytes(damaged)
        refused("empty, damaged, or not a checkpoint")
    for other in ({"step": 1, "coarse": {}}, torch.zeros(2), [1]):
        torch.save(other, tmp_path / "checkpoint.pt")
        refused("not a checkpoint of this version")


def test_a_constant_rate_allows_more_steps_and_no_fewer(tmp_path):
    for steps in (1, 2):
        run(tmp_path, tiny_recipe("paper-coarse", steps=steps), Balls())
    with pytest.raises(CheckpointError, match="at step 2, but the run shall have 1"):
        run(tmp_path, tiny_recipe("paper-coarse", steps=1), Balls())


def test_ctrl_c_stops_with_a_checkpoint(tiny_set, tmp_path):
    whole = train(tmp_path / "whole", "coarse", tiny_set)
    said = []

    def report(text):
        said.append(text)
        if "coarse 1/3" in text:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", "coarse", tiny_set, report=report)
    assert signal.getsignal(signal.SIGINT) is before
    assert "stopped at step 2" in said[-1] and "resumes" in said[-1]
    assert train(tmp_path / "parts", "coarse", tiny_set) == whole


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(tiny_set, tmp_path, monkeypatch):
    train(tmp_path, "coarse", tiny_set, until=1)
    good = (tmp_path / "checkpoint.pt").read_bytes()
    monkeypatch.setattr(losses, "gradient_loss", lambda *_: torch.tensor(float("nan"), requires_grad=True))
    with pytest.raises(TrainingError, match="coarse/gradient is not finite"):
        train(tmp_path, "coarse", tiny_set)
    assert (tmp_path / "checkpoint.pt").read_bytes() == good


def test_a_task_of_ones_own_is_a_plug_in(tmp_path):
    class Brightness(TrainingTask):
        name, terms, saved = "coarse", {"mean": ("error",)}, ("mean",)

        def __init__(self):
            super().__init__()
            self.networks = {"mean": torch.nn.Conv2d(1, 1, 1)}

        def loss(self, learner, batch, networks):
            return {"error": (networks["mean"](batch["gray"]) - batch["gray"]).square().mean()}

    recipe = tiny_recipe("coarse", "coarse", steps=20, save=20, learning_rate=0.1)
    fabric = make_fabric("cpu")
    first = loop.train(fabric, Brightness, recipe, Balls(), tmp_path, until=1)
    last = loop.train(fabric, Brightness, recipe, Balls(), tmp_path)
    assert first.keys() == last.keys() == {"mean/error"} and last["mean/error"] < first["mean/error"] / 2
    assert (tmp_path / "mean.safetensors").exists()


def test_the_command_trains_each_network(tiny_set, tmp_path, capsys):
    small = ["--set", str(tiny_set), "--steps", "1", "--batch", "2", "--workers", "0", "--threads", "1"]
    small += ["--accelerator", "cpu"]
    for task in ("prn", "coarse", "fine", "parsing", "shading", "eyes"):
        assert main(["train", task, *small, "--output", str(tmp_path / task)]) == 0
    weights = tmp_path / "coarse" / "coarse.safetensors"
    again = ["train", "coarse", *small, "--start", str(weights), "--rate", "0.1", "--output", str(tmp_path / "more")]
    assert main([*again, "--full-precision"]) == 0
    capsys.readouterr()
    assert main(["weights", "show", "--recipe", str(tmp_path / "more" / "coarse.safetensors")]) == 0
    recipe = json.loads(capsys.readouterr().out)
    assert recipe["optimizer"]["learning_rate"] == pytest.approx(1.5e-3 * 0.5 * 0.1)
    assert (recipe["batch"], recipe["micro_batch"], recipe["precision"]) == (2, 2, "32-true")
    assert "input_start" in read_notes(tmp_path / "more" / "coarse.safetensors")
    for stage, more in (
        ("paper-coarse", []),
        ("paper-fine", ["--coarse-weights", str(tmp_path / "paper-coarse" / "generator.safetensors")]),
    ):
        out = ["--output", str(tmp_path / stage)]
        assert main(["train", stage, *small, "--recipe", "compact", *more, *out]) == 0


def test_wrong_commands_exit_with_2(tiny_set, tmp_path, capsys):
    for wrong in (
        ["train", "prn", "--set", str(tiny_set), "--photoface", "x"],
        ["train", "data", "--set", str(tiny_set)],
        ["train", "paper-coarse", "--set", str(tiny_set), "--start", "x"],
        ["train", "coarse"],
    ):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2
    data = ["train", "data", "--set", str(tmp_path), "--shapes", "x", "--photos", "x", "--parsing-people", "5"]
    assert main(data) == 2 and "--parsing-people needs --heads and --skies" in capsys.readouterr().err
    other = ["train", "parsing", "--set", str(tiny_set), "--output", str(tmp_path), "--accelerator", "cpu"]
    assert main([*other, "--encoder", str(tmp_path / "none")]) == 2
    assert "weights of the encoder" in capsys.readouterr().err
    base = ["train", "fine", "--set", str(tiny_set), "--output", str(tmp_path), "--accelerator", "cpu"]
    assert main([*base, "--recipe", "prn"]) == 2 and "no task 'fine'" in capsys.readouterr().err
    assert main([*base, "--steps", "0"]) == 2 and "steps is 0" in capsys.readouterr().err
    assert main([*base, "--start", str(tmp_path / "none")]) == 2 and "weights to begin from" in capsys.readouterr().err
    assert main(["train", "coarse", "--set", str(tmp_path), "--accelerator", "cpu"]) == 2
    assert "not a training set" in capsys.readouterr().err
    assert main([*base, "--accelerator", "nothing"]) == 2


def test_without_lightning_fabric_the_message_says_what_to_install(tiny_set, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    assert main(["train", "prn", "--set", str(tiny_set), "--output", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "Lightning Fabric is not installed" in said and ".[train]" in said


def test_a_mean_of_weights_keeps_their_notes(tiny_set, tmp_path):
    train(tmp_path, "prn", tiny_set, until=1)
    path, mean = tmp_path / "prn.safetensors", tmp_path / "mean.safetensors"
    assert main(["weights", "average", str(FOLDER / "prn.safetensors"), str(path), "-o", str(mean)]) == 0
    notes = read_notes(mean)
    assert notes.pop("averaged") == "0.5" and notes.pop("averaged_with") == file_hash(FOLDER / "prn.safetensors")
    assert notes == read_notes(path)


def test_sets_of_earlier_versions_spell_gray_otherwise(tiny_set, tmp_path):
    for path in tiny_set.rglob("*.npy"):
        old = tmp_path / path.relative_to(tiny_set).with_name(path.name.replace("gray", "grey"))
        old.parent.mkdir(exist_ok=True)
        old.symlink_to(path)
    recipe = tiny_recipe("coarse", "coarse")
    ours, theirs = (
        FaceSamples(folder, 64, recipe.data).draw(np.random.default_rng(3)) for folder in (tiny_set, tmp_path)
    )
    assert all(torch.equal(ours[0][name], theirs[0][name]) for name in ours[0])
