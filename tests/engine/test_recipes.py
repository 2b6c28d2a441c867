# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipes: the built-in ones, errors that name the first wrong key, changes."""

import json
from dataclasses import asdict

import pytest

from hffne.errors import ConfigurationError, HffneError
from hffne.networks.refiners import fine_network
from hffne.networks.successor import SuccessorFineNetwork
from hffne.networks.variants import ARCHITECTURES, MODULATIONS, Variant
from hffne.training.recipe import FOLDER, NAMES, from_dict, read_recipe

TASKS_OF = {name: [name] for name in ("prn", "coarse", "fine", "parsing", "shading", "eyes", "mouth")}


def test_the_recipes_of_the_shipped_networks():
    prn, coarse, fine = (read_recipe(name, name) for name in ("prn", "coarse", "fine"))
    assert (prn.steps, prn.batch, prn.data.photos, prn.data.profiles, prn.data.relief) == (6000, 32, 0.45, 4, 0)
    assert (coarse.steps, coarse.batch, coarse.data.antithetic, coarse.data.studios) == (6000, 16, True, 0.4)
    assert (fine.steps, fine.batch, fine.data.photos, fine.data.moves) == (3500, 8, 0.3, 0.4)
    assert [r.optimizer.learning_rate for r in (prn, coarse, fine)] == [1.5e-3, 1.5e-3, 1e-3]
    assert all(
        r.schedule.name == "one-cycle" and r.average == 300 and r.optimizer.clip == 1 for r in (prn, coarse, fine)
    )


def test_the_recipes_of_the_published_training():
    coarse, fine = (read_recipe("paper", task) for task in ("paper-coarse", "paper-fine"))
    for recipe in (coarse, fine):
        assert (recipe.optimizer.learning_rate, recipe.batch, recipe.size) == (1e-4, 8, 256)
        assert recipe.schedule.name == "constant" and not recipe.average
    assert (coarse.steps, fine.steps, fine.settings.lambda_ref) == (200000, 150000, 1)
    assert (coarse.data.photos, fine.data.photos) == (0, 1)
    compact = read_recipe("compact", "paper-fine")
    assert fine_network(compact.model, asdict(compact.settings)).variant == Variant()
    assert read_recipe("paper", "paper-fine") == read_recipe("paper-text", "paper-fine")
    assert (fine.optimizer.betas, fine.settings.balance, fine.settings.area) == ((0.9, 0.999), "paper-text", "face")
    code = read_recipe("paper-code", "paper-fine")
    assert (code.optimizer.betas, code.settings.balance, code.settings.area) == ((0.9, 0.99), "paper-code", "picture")
    assert read_recipe("paper-code", "paper-coarse") == coarse == read_recipe("fnr2r", "paper-coarse")
    successor = read_recipe("fnr2r", "paper-fine")
    assert (successor.optimizer.betas, successor.settings.loss, successor.settings.area) == (
        (0.9, 0.99),
        "cosine",
        "picture",
    )
    assert isinstance(fine_network(successor.model, asdict(successor.settings)), SuccessorFineNetwork)


def test_a_vector_that_a_network_does_not_have():
    assert fine_network("compact", {"vector": 512}).exemplar.head[-1].out_features == 512
    for model, settings, words in (
        ("paper", {"vector": 256}, "256 numbers in the published widths: it has 512"),
        ("compact", {"vector": 256, "architecture": "FNR2R"}, "256 numbers in FNR2R"),
    ):
        with pytest.raises(HffneError, match=words):
            fine_network(model, settings)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_that_is_written_is_read_the_same(name):
    for task in TASKS_OF.get(name, ["paper-coarse", "paper-fine"]):
        recipe = read_recipe(name, task)
        assert from_dict(json.loads(recipe.as_json()), task, "x") == recipe
        assert recipe.changed({"steps": recipe.steps + 1}).digest != recipe.digest == read_recipe(name, task).digest


def test_every_variant_has_its_word_in_a_recipe():
    recipe = read_recipe("compact", "paper-fine")
    for key, names in (("architecture", ARCHITECTURES), ("modulation", MODULATIONS)):
        for name in names:
            assert getattr(recipe.changed({f"settings.{key}": name}).settings, key) == name


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.update(batch=7, micro_batch=2), "micro_batch is 2, but batch 7"),
        (lambda r: r.update(size=100), "size is 100, but must be a multiple of 32"),
        (lambda r: r.update(model="large"), "model is 'large', but must be one of: compact, paper"),
        (lambda r: r.update(extra=1), "extra is not a key"),
        (lambda r: r.update(batch="8"), "batch is '8', but must be a whole number"),
        (lambda r: r.update(batch=True), "batch is True"),
        (lambda r: r.update(keep=[0]), r"keep\[0\] is 0, but must be at least 1"),
        (lambda r: r["optimizer"].pop("clip"), "optimizer.clip is missing"),
        (lambda r: r["optimizer"].update(learning_rate=float("nan")), "optimizer.learning_rate is nan"),
        (lambda r: r["tasks"]["paper-fine"]["settings"].update(architecture="A9"), "tasks.paper-fine.settings.arch"),
        (lambda r: r["tasks"]["paper-fine"]["data"].update(photos=2), "tasks.paper-fine.data.photos is 2"),
        (lambda r: r["tasks"].update(other={}), "tasks.other is not a task"),
        (lambda r: r["optimizer"].update(betas=[0.9, 1]), r"optimizer.betas\[1\] is 1, but must be less than 1"),
        (
            lambda r: r["tasks"]["paper-fine"]["settings"].update(balance="text"),
            "balance is 'text', but must be one of",
        ),
        (
            lambda r: r.update(micro_batch=1) or r["tasks"]["paper-fine"]["settings"].update(exemplar="unpaired"),
            "there is no other face",
        ),
        (lambda r: r.update(optimizer=3), "must be a table"),
        (lambda r: r.pop("tasks"), "table 'tasks'"),
    ],
)
def test_the_first_wrong_key_is_named(tmp_path, change, words):
    content = json.loads((FOLDER / "paper-text.json").read_text())
    change(content)
    (tmp_path / "r.json").write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_recipe(tmp_path / "r.json", "paper-fine")
    assert "r.json" in caught.value.message and caught.value.exit_code == 2 and caught.value.hint


def test_a_file_that_is_no_recipe_of_the_task(tmp_path):
    with pytest.raises(ConfigurationError, match="no recipe"):
        read_recipe(tmp_path / "none.json", "prn")
    (tmp_path / "r.json").write_text("{")
    with pytest.raises(ConfigurationError, match="not valid JSON"):
        read_recipe(tmp_path / "r.json", "prn")
    with pytest.raises(ConfigurationError, match="no task 'prn', only: paper-coarse, paper-fine"):
        read_recipe("paper", "prn")
    with pytest.raises(ConfigurationError, match="takes 128 only"):
        read_recipe("prn", "prn").changed({"size": 256})
    with pytest.raises(ConfigurationError, match="patch is 160"):
        read_recipe("fine", "fine").changed({"size": 128})


def test_recipes_of_before_a_key_existed_are_read():
    content = json.loads(read_recipe("paper", "paper-fine").as_json())
    del content["optimizer"]["betas"], content["tasks"]["paper-fine"]["settings"]["balance"]
    assert from_dict(content, "paper-fine", "x") == read_recipe("paper", "paper-fine")
