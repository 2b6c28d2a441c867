# SPDX-License-Identifier: GPL-3.0-or-later
"""Both stages as the command trains them, by the paper's text and by its code: losses, data, what a run begins with."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import dataset_standins
from hffne.cli.main import main
from hffne.photo.detect import Face
from hffne.training import perceptual
from hffne.training.recipe import read_recipe
from hffne.training.sources import cropping
from hffne.training.sources.mixed import MixedSource
from hffne.training.sources.photoface import PhotofaceSource
from hffne.training.sources.photos import PhotoSource
from hffne.training.tasks.paper_coarse import coarse_network
from hffne.training.tasks.paper_fine import PaperFine
from hffne.weights.notes import read_notes
from hffne.weights.store import save_weights
from tiny_training import OFTEN, tiny_recipe, vgg_file

TINY = {"model": "compact", "size": 64, "batch": 2, "micro_batch": 2, "steps": 1, "keep": [], **OFTEN}


@pytest.fixture
def everywhere(monkeypatch):
    """A face is found in the middle of every picture: a ball has none."""

    def found(photo):
        height, width = photo.rgb.shape[:2]
        return [Face((width * 0.25, height * 0.25, width * 0.5, height * 0.5), 0.9, np.zeros((5, 2), np.float32))]

    monkeypatch.setattr(cropping, "find_faces", found)


@pytest.fixture
def photos(tmp_path, astronaut_file):
    (tmp_path / "faces").mkdir()
    shutil.copy(astronaut_file, tmp_path / "faces")
    return tmp_path / "faces"


def train(tmp_path, stage, preset, *options, **changes):
    """The command on a tiny recipe of a preset; returns its exit code."""
    recipe = tmp_path / f"{preset}-{stage}.json"
    recipe.write_text(read_recipe(preset, stage).changed(TINY | changes).as_json())
    common = ["--set", tmp_path / "set", "--recipe", recipe, "--accelerator", "cpu", "--threads", 1, "--workers", 0]
    return main(["train", stage, *map(str, [*common, *options])])


@pytest.mark.parametrize("preset", ["paper-text", "paper-code"])
def test_both_stages_of_a_preset(preset, tmp_path, photos, everywhere, capsys):
    dataset_standins.photoface(tmp_path / "photoface")
    # Two of the five sessions of the training's share are bad: they are left out, and counted.
    bad, worse = PhotofaceSource(tmp_path / "photoface", 64).sessions[2:4]
    bad.photos[1].write_bytes(b"BM")
    worse.photos[2].unlink()
    assert train(tmp_path, "paper-coarse", preset, "--photoface", tmp_path / "photoface", steps=4) == 0
    said = capsys.readouterr().err
    assert f"{bad.name}: " in said and f"{worse.name}: " in said and "(2 so far)" in said
    vgg = vgg_file(tmp_path / "vgg.pth")
    assert train(tmp_path, "paper-fine", preset, "--faces", photos, "--vgg", vgg) == 0
    log = json.loads((tmp_path / "set" / "paper-fine" / "log.jsonl").read_text().splitlines()[-1])
    share = log["fine/perceptual"] / log["fine/reconstruction"]
    assert (share < 1e-3) == (preset == "paper-code")
    notes = read_notes(tmp_path / "set" / "paper-fine" / "fine.safetensors")
    assert json.loads(notes["recipe"])["tasks"]["paper-fine"]["settings"]["balance"] == preset


def test_the_codes_balance_is_the_texts_divided_by_the_pixels_of_a_crop():
    batch = {"gray": torch.rand(2, 1, 64, 64), "weight": (torch.rand(2, 64, 64) > 0.5).float()}
    network = coarse_network(tiny_recipe("paper-fine"))
    tasks = {}
    for balance in ("paper-text", "paper-code"):
        torch.manual_seed(0)
        tasks[balance] = PaperFine(tiny_recipe("paper-fine").changed({"settings.balance": balance}), network)
    text, code = (t.loss("fine", batch, {**t.fixed, **t.networks})["perceptual"].item() for t in tasks.values())
    assert code == pytest.approx(text / 256**2, rel=1e-4)


def test_the_perceptual_term_sees_the_color_face_and_the_network_the_gray_one(tmp_path, photos):
    [sample] = PhotoSource(photos, 64).draw(np.random.default_rng(0))
    assert sample["color"].shape == (3, 64, 64) and sample["color"].std(0).mean() > 0.01
    weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    assert torch.allclose((sample["color"] * weights).sum(0), sample["gray"][0], atol=1e-5)
    term = perceptual.Perceptual(perceptual.read_vgg(vgg_file(tmp_path / "vgg.pth")))
    color, weight = sample["color"][None], torch.ones(1, 64, 64)
    gray, like = sample["gray"][None], color * 2 - 1  # a normal map that, encoded, is the color photo
    assert term(gray, like, weight, color) < 1e-5 < term(gray, like, weight)


def test_a_run_begins_with_the_same_files_or_is_refused(tmp_path, photos, astronaut_file, capsys):
    assert train(tmp_path, "paper-fine", "paper-text", "--faces", photos) == 2
    assert "Train the coarse network first" in capsys.readouterr().err
    exemplar = tmp_path / "exemplar.npz"
    normal, mask = dataset_standins.ball(100, 120)
    np.savez(exemplar, normal=normal, mask=mask)
    torch.manual_seed(0)
    network = coarse_network(read_recipe("paper-text", "paper-fine").changed(TINY))
    save_weights(network, tmp_path / "g.safetensors", {})
    own = ["--faces", photos, "--coarse-weights", tmp_path / "g.safetensors", "--exemplar-file", exemplar]
    own += ["--vgg", vgg_file(tmp_path / "vgg.pth")]
    assert train(tmp_path, "paper-fine", "paper-text", *own) == 0
    assert train(tmp_path, "paper-fine", "paper-text", *own, **{"settings.exemplar": "unpaired"}) == 2
    assert "one exemplar to all faces, but the recipe's is 'unpaired'" in capsys.readouterr().err
    before = load_file(tmp_path / "set" / "paper-fine" / "fine.safetensors")
    for change in ("coarse", "vgg", "exemplar", "data"):
        other = list(own)
        if change == "coarse":
            save_weights(network, tmp_path / "h.safetensors", {"other": "notes"})
            other[3] = tmp_path / "h.safetensors"
        elif change == "vgg":
            other[-1] = vgg_file(tmp_path / "other.pth", 1)
        elif change == "exemplar":
            np.savez(tmp_path / "other.npz", normal=-normal, mask=mask)
            other[5] = tmp_path / "other.npz"
        else:
            shutil.copy(astronaut_file, photos / "another.png")
        assert train(tmp_path, "paper-fine", "paper-text", *other, steps=2) == 2
        assert f"{'data' if change == 'data' else 'input ' + change} was" in capsys.readouterr().err
    after = load_file(tmp_path / "set" / "paper-fine" / "fine.safetensors")
    assert all(torch.equal(before[name], value) for name, value in after.items())


def test_folders_of_faces_are_mixed_by_weight(tmp_path, astronaut, capsys):
    mean = {}
    for name, factor in (("dark", 0.4), ("light", 1.0)):
        folder = tmp_path / f"{name} photos"
        folder.mkdir()
        dataset_standins.save(folder / "a.png", (astronaut * factor).astype(np.uint8))
        (tmp_path / name).mkdir()
        # A link to a folder is followed, also one that leads back to where the search began.
        (tmp_path / name / "linked").symlink_to(folder, target_is_directory=True)
        (folder / "back").symlink_to(tmp_path / name, target_is_directory=True)
        source = PhotoSource(tmp_path / name, 64)
        assert len(source.paths) == 1
        mean[name] = source.draw(np.random.default_rng(0))[0]["gray"].mean().item()
    mixed = MixedSource([PhotoSource(tmp_path / name, 64) for name in mean], [1, 3])
    drawn = [mixed.draw(np.random.default_rng(k))[0]["gray"].mean().item() for k in range(80)]
    light = np.mean([abs(value - mean["light"]) < abs(value - mean["dark"]) for value in drawn])
    assert 0.6 < light < 0.9
    save_weights(coarse_network(read_recipe("paper-text", "paper-fine").changed(TINY)), tmp_path / "g.safetensors", {})
    both = ["--faces", f"{tmp_path / 'dark'}=0.5", "--faces", tmp_path / "light"]
    both += ["--coarse-weights", tmp_path / "g.safetensors"]
    assert train(tmp_path, "paper-fine", "paper-text", *both) == 0
    both[1] = f"{tmp_path / 'dark'}=2"
    assert train(tmp_path, "paper-fine", "paper-text", *both, steps=2) == 2
    assert "data was" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        train(tmp_path, "paper-fine", "paper-text", "--faces", f"{tmp_path / 'dark'}=none")


def test_photoface_with_other_content_is_other_data(tmp_path):
    dataset_standins.photoface(tmp_path)
    source = PhotofaceSource(tmp_path, 64)
    before = source.fingerprint()
    path = source.sessions[0].photos[0]
    path.write_bytes(path.read_bytes()[:-300] + b"\7" * 300)
    assert PhotofaceSource(tmp_path, 64).fingerprint() != before


def test_no_more_is_kept_in_memory_than_allowed(tmp_path, everywhere):
    dataset_standins.photoface(tmp_path)
    source = PhotofaceSource(tmp_path, 64)
    for seed in range(30):
        source.draw(np.random.default_rng(seed))
    whole = source.cache.bytes
    assert len(source.cache.items) == len(source.sessions) > 2 and whole > 4 * 64 * 64
    small = PhotofaceSource(tmp_path, 64)
    small.cache.most = whole // 2
    drawn = [small.draw(np.random.default_rng(seed))[0]["gray"] for seed in range(30)]
    assert small.cache.bytes <= whole // 2 and len(small.cache.items) < len(source.sessions)
    assert torch.equal(drawn[3], source.draw(np.random.default_rng(3))[0]["gray"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--start", "x.safetensors"], "unrecognized arguments: --start"),
        (["--threads", "0"], "'0' is not a whole number from 1"),
        (["--workers", "-1"], "'-1' is not a whole number from 0"),
        (["--until", "0"], "'0' is not a whole number from 1"),
        (["--rate", "0"], "optimizer.learning_rate is 0.0, but must be greater than 0"),
        (["--batch", "3"], "micro_batch is 2, but batch 3 is not a multiple"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_read(options, words, tmp_path, capsys):
    (tmp_path / "r.json").write_text(tiny_recipe("paper-fine").as_json())
    command = ["train", "paper-fine", "--set", str(tmp_path / "none"), "--recipe", str(tmp_path / "r.json"), *options]
    try:
        code = main(command)
    except SystemExit as stop:
        code = stop.code
    assert code == 2 and words in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
