# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne train pack`: the run on another machine is the run that it would have been here."""

import io
import json
import tarfile

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hffne.cli.main import main
from hffne.training.pack import unpack
from hffne.training.recipe import read_recipe
from hffne.training.sources.closeups import CloseupSamples
from hffne.training.sources.face_set import FaceSamples
from hffne.training.sources.features import FeatureSamples
from hffne.training.sources.parsing import ParsingSamples
from hffne.weights.notes import read_notes
from hffne.weights.store import FOLDER
from tiny_training import OFTEN

START = FOLDER / "parsing.safetensors"


def pack(tiny_set, path, task, *options):
    assert main(["train", "pack", task, "--set", str(tiny_set), "-o", str(path), *options]) == 0
    return path


def test_a_packed_run_is_the_same_run(tiny_set, tmp_path, one_thread):
    recipe = tmp_path / "tiny.json"
    tiny = {"size": 64, "batch": 2, "micro_batch": 2, "steps": 5, "keep": [], "precision": "32-true", **OFTEN}
    recipe.write_text(read_recipe("shading", "shading").changed(tiny).as_json())
    options = ["--recipe", str(recipe), "--start", str(START), "--steps", "1", "--seed", "3"]
    machine = ["--accelerator", "cpu", "--workers", "0"]
    here, there = tmp_path / "here", tmp_path / "there"
    assert main(["train", "shading", "--set", str(tiny_set), *options, *machine, "--output", str(here)]) == 0
    file = pack(tiny_set, tmp_path / "run.tar", "shading", *options)
    command = ["train", "shading", "--pack", str(file), *machine, "--output", str(there)]
    assert main(command) == 0
    ours, theirs = (folder / "shading.safetensors" for folder in (here, there))
    assert {k: v for k, v in read_notes(ours).items() if k != "commit"} == {
        k: v for k, v in read_notes(theirs).items() if k != "commit"
    }
    state = load_file(theirs)
    assert all(torch.equal(value, state[name]) for name, value in load_file(ours).items())
    # What the pack settles cannot be given once more.
    assert main([*command, "--start", str(START)]) == 2


@pytest.mark.parametrize(
    ("task", "source", "without"),
    [
        ("coarse", FaceSamples, "close"),
        ("fine", lambda folder, size, *rest: CloseupSamples(folder, *rest), "renders/"),
        ("parsing", ParsingSamples, "renders/"),
        ("eyes", FeatureSamples, "part.npy"),
    ],
)
def test_a_pack_has_the_arrays_that_its_task_uses(tiny_set, tmp_path, task, source, without):
    unpacked = unpack(pack(tiny_set, tmp_path / "run.tar", task), task, tmp_path / "new" / "pack")
    recipe = read_recipe(task, task)
    assert unpacked.recipe == recipe and unpacked.inputs == {}
    for held_out in (False, True):
        here, there = (source(folder, 64, recipe.data, held_out) for folder in (tiny_set, unpacked.folder))
        assert here.fingerprint() == there.fingerprint()
        (one, *_), (other, *_) = (samples.draw(np.random.default_rng(5)) for samples in (here, there))
        assert all(torch.equal(value, other[name]) for name, value in one.items())
    names = [path.relative_to(unpacked.folder).as_posix() for path in unpacked.folder.rglob("*.npy")]
    assert names and not [name for name in names if name.startswith(without) or name.endswith(without)]


@pytest.fixture(scope="module")
def packed(tiny_set, tmp_path_factory):
    return pack(tiny_set, tmp_path_factory.mktemp("packed") / "run.tar", "eyes").read_bytes()


def renamed(data):
    """The same pack with a file that would lie outside of its folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(data)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for entry in old:
            content = old.extractfile(entry).read()
            if entry.name == "pack.json":
                facts = json.loads(content)
                facts["files"]["set/../../evil.npy"] = next(iter(facts["files"].values()))
                content = json.dumps(facts).encode()
            entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:], "is not what was packed"),
        (lambda data: data[: len(data) // 2], "is damaged or not a pack"),
        (lambda data: b"no tar at all", "is damaged or not a pack"),
        (lambda data: b"", "is damaged or not a pack"),
        (renamed, "it names 'set/../../evil.npy'"),
    ],
)
def test_damaged_and_foreign_files_are_told_in_a_sentence(packed, tmp_path, capsys, change, said):
    file = tmp_path / "run.tar"
    file.write_bytes(change(packed))
    assert main(["train", "eyes", "--pack", str(file)]) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["run.tar"]


def test_a_pack_of_another_task_and_one_that_is_not_there(packed, tmp_path, capsys):
    file = tmp_path / "run.tar"
    file.write_bytes(packed)
    assert main(["train", "prn", "--pack", str(file)]) == 2
    assert "is a pack of task eyes, not prn" in capsys.readouterr().err
    assert main(["train", "prn", "--pack", str(tmp_path / "none.tar")]) == 2
