# SPDX-License-Identifier: GPL-3.0-or-later
"""The published training: exact resume, the same losses on two processes, a stop on NaN, logs, sources."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

import dataset_standins
import hffne.weights.store as store
from hffne.cli.main import main
from hffne.errors import CheckpointError, HffneError, TrainingError
from hffne.networks.refiners import fine_network
from hffne.networks.variants import ARCHITECTURES
from hffne.photo.detect import Face
from hffne.training import perceptual
from hffne.training.sources import cropping
from hffne.training.sources.photoface import PhotofaceSource
from hffne.training.sources.photos import PhotoSource
from hffne.training.tasks.paper_coarse import coarse_network
from hffne.training.tasks.paper_fine import PaperFine
from paths import SUPPORT
from tiny_training import Balls, tiny_recipe, train


def losses(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


@pytest.mark.parametrize("stage", ["paper-coarse", "paper-fine"])
def test_a_resumed_run_goes_on_bit_for_bit(stage, tmp_path):
    train(tmp_path / "whole", stage, 1, 2)
    train(tmp_path / "parts", stage, 1, 1)
    train(tmp_path / "parts", stage, 1, 2)
    whole, parts = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "parts"))
    assert whole["step"] == 2 and same(whole, parts)
    assert [line["step"] for line in losses(tmp_path / "parts")] == [1, 2]
    with pytest.raises(CheckpointError, match=r"another run: optimizer.learning_rate was 0.001, now it is 0.5"):
        train(tmp_path / "parts", stage, 1, 3, learning_rate=0.5)


@pytest.mark.parametrize("stage", ["paper-coarse", "paper-fine"])
def test_two_processes_reach_the_losses_of_one(stage, tmp_path):
    script = SUPPORT / "tiny_training.py"
    subprocess.run([sys.executable, str(script), str(tmp_path / "two"), stage, "2", "2"], check=True, timeout=500)
    train(tmp_path / "one", stage, 1, 2)
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == len(two) == 2
    for ours, theirs in zip(one, two, strict=True):
        for name in ours.keys() - {"seconds"}:
            assert theirs[name] == pytest.approx(ours[name], rel=1e-3), name
    # They did learn, so that equal losses after the first step mean equal gradients.
    assert one[0] != one[1]


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    train(tmp_path, "paper-coarse", 1, 1)
    good = (tmp_path / "checkpoint.pt").read_bytes()
    # Two for the picture, four a step.
    with pytest.raises(TrainingError, match=r"At step 3 .* not finite") as caught:
        train(tmp_path, "paper-coarse", 1, 4, source=Balls(broken=6))
    assert "last checkpoint is good" in caught.value.hint
    assert (tmp_path / "checkpoint.pt").read_bytes() == good
    saved = torch.load(tmp_path / "bad_step_3_process_0.pt", weights_only=True)
    assert saved[0]["gray"].isnan().any() and saved[0]["gray"].shape == (2, 1, 64, 64)


def test_mixed_precision_pictures_and_early_exemplars(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tiny = tiny_recipe("paper-coarse")
    last = train(tmp_path, "paper-coarse", 1, 2, precision="bf16-mixed", keep=[1])
    assert last.keys() == {"discriminator/real", "discriminator/made", "generator/adversarial", "generator/l1"}
    assert np.isfinite(list(last.values())).all()
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert "generator/l1" in board.Tags()["scalars"]
    assert board.Images("faces")[-1].width == 3 * 64 and board.Images("faces")[-1].height == 2 * 64
    early = store.load_weights(coarse_network(tiny), tmp_path / "generator_1.safetensors")
    late = store.load_weights(coarse_network(tiny), tmp_path / "generator.safetensors")
    assert not same(dict(early.state_dict()), dict(late.state_dict()))
    assert not (tmp_path / "discriminator.safetensors").exists()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_trains_in_mixed_precision(architecture, tmp_path):
    last = train(tmp_path, "paper-fine", 1, 1, precision="bf16-mixed", architecture=architecture)
    assert last.keys() == {"fine/reconstruction", "fine/perceptual"} and np.isfinite(list(last.values())).all()


def test_the_second_stage_takes_the_exemplar_of_its_recipe():
    network = coarse_network(tiny_recipe("paper-fine"))
    batch = {"gray": torch.rand(3, 1, 64, 64), "weight": torch.ones(3, 64, 64)}

    def exemplar(kind, own=None):
        task = PaperFine(tiny_recipe("paper-fine", exemplar=kind), network, exemplar=own)
        return task.exemplar(batch, task.fixed)

    paired = exemplar("paired")
    assert torch.equal(exemplar("unpaired"), paired.roll(1, 0)) and not torch.equal(paired, paired.roll(1, 0))
    own = torch.zeros(3, 32, 32)
    own[0, :, :16] = 1  # of another size; where it is zero, the face's own exemplar is taken
    both = exemplar("paired", own)
    assert torch.allclose(both[:, :, :, :30], torch.eye(3)[0].view(1, 3, 1, 1).expand(3, -1, 64, 30))
    assert torch.allclose(both[..., 34:], paired[..., 34:], atol=1e-6)
    with pytest.raises(HffneError, match="base mesh"):
        exemplar("base")


def test_the_perceptual_encoder_is_vgg_where_its_weights_are(tmp_path):
    torch.manual_seed(0)
    state = {
        f"features.{i}.{kind}": torch.randn(*shape) * 0.1
        for i, kind, shape in (
            (0, "weight", (64, 3, 3, 3)),
            (0, "bias", (64,)),
            (2, "weight", (64, 64, 3, 3)),
            (2, "bias", (64,)),
        )
    }
    torch.save(state, tmp_path / "vgg19.pth")
    vgg = perceptual.Perceptual(perceptual.read_vgg(tmp_path / "vgg19.pth"))
    gray, weight = torch.rand(1, 1, 32, 32), torch.ones(1, 32, 32)
    like = gray.expand(-1, 3, -1, -1) * 2 - 1  # a normal map that, encoded, is the photo
    assert vgg(gray, like, weight) < 1e-5 < vgg(gray, -like, weight)
    bank = perceptual.Perceptual()
    assert bank(gray, like, weight) < bank(gray, -like, weight)
    torch.save({"other": torch.zeros(1)}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("no weights")
    for name in ("other.pth", "text.pth", "none.pth"):
        with pytest.raises(HffneError, match=name):
            perceptual.read_vgg(tmp_path / name)


def test_the_command_trains_on_any_photos(tmp_path, astronaut_file, capsys):
    (tmp_path / "faces").mkdir()
    shutil.copy(astronaut_file, tmp_path / "faces")
    (tmp_path / "r.json").write_text(tiny_recipe("paper-fine", batch=2).as_json())
    command = [
        "train",
        "paper-fine",
        *("--set", str(tmp_path / "out"), "--faces", str(tmp_path / "faces"), "--recipe", str(tmp_path / "r.json")),
        *("--accelerator", "cpu", "--steps", "1", "--threads", "1", "--workers", "0", "--coarse-weights"),
    ]
    assert main([*command, str(store.FOLDER / "coarse.safetensors")]) == 0
    assert "paper-fine 1/1" in capsys.readouterr().out
    written = tmp_path / "out" / "paper-fine" / "fine.safetensors"
    store.load_weights(fine_network("compact", {}), written)
    assert main([*command, str(tmp_path / "none.safetensors")]) == 2
    assert "none.safetensors" in capsys.readouterr().err


def test_photoface_gives_labeled_samples(tmp_path, monkeypatch):
    dataset_standins.photoface(tmp_path)
    box = (15.0, 18.0, 30.0, 36.0)  # a ball has no face to be found
    monkeypatch.setattr(cropping, "find_faces", lambda photo: [Face(box, 0.9, np.zeros((5, 2), np.float32))])
    training, test = (PhotofaceSource(tmp_path, 64, held_out=held_out) for held_out in (False, True))
    assert not {s.name for s in training.sessions} & {s.name for s in test.sessions} and test.sessions
    [sample] = training.draw(np.random.default_rng(0))
    known = sample["weight"] > 0
    assert sample["gray"].shape == (1, 64, 64) and known.float().mean() > 0.3
    assert torch.allclose(sample["normal"].norm(dim=0)[known], torch.ones(()), atol=1e-4)
    # A ball: further right looks further right, mirrored or not.
    columns = torch.arange(64.0).expand(64, 64)[known]
    for seed in range(4):
        normal = training.draw(np.random.default_rng(seed))[0]["normal"][0]
        assert np.corrcoef(normal[known], columns)[0, 1] > 0.9
    (tmp_path / "empty").mkdir()
    with pytest.raises(HffneError, match="no photos"):
        PhotoSource(tmp_path / "empty", 64)
