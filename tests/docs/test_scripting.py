# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operator from a script: documented, with an example that runs; undone and redone in one step."""

import re
import sys

import pytest

from blender_process import needs_blender, run_case
from paths import ROOT

TEXT = ROOT / "docs" / "scripting.md"
OPERATORS = ROOT / "hffne_blender" / "operators"


@pytest.fixture
def folder(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("good 1.jpg", "good 2.jpg", "good 3.jpg"):
        (photos / name).write_bytes(b"the fake engine does not look inside")
    return photos


def test_every_operator_has_an_example():
    text = TEXT.read_text(encoding="utf-8")
    names = set()
    for path in OPERATORS.glob("*.py"):
        names |= set(re.findall(r'bl_idname = "hffne\.(\w+)"', path.read_text(encoding="utf-8")))
    assert len(names) >= 15
    assert not [name for name in sorted(names) if f"bpy.ops.hffne.{name}(" not in text]


@pytest.mark.once
@needs_blender
def test_the_examples_run(fake_engine, folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    arguments = (sys.executable, folder, TEXT, out)
    found = run_case("documentation", *arguments, path=[fake_engine], script="batch_cases.py", timeout=900)
    assert len(found["results"]) > 12 and found["written"] >= 3
    assert all(status == ["FINISHED"] for _, status in found["results"]), found["results"]


@needs_blender
def test_every_operator_is_one_step_of_undo(fake_engine, folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    found = run_case("undo", sys.executable, folder, out, path=[fake_engine], script="batch_cases.py", timeout=900)
    assert found.pop("export") == ["FINISHED"] and found.pop("untouched")
    assert found.pop("written") == ["Head_bake_object.png", "Head_normal.png"]
    for name, (changed, undone, redone) in found.items():
        assert undone and redone, name
        # The second application changes pictures and adds the modifier; all others add something to the scene.
        assert changed, name
