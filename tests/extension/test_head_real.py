# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole chain to a head on a real photo: engine, frames, object, and back to pixels by Cycles."""

import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from arkit import ARKIT
from blender_process import BLENDER, ENGINE, environment, needs_blender, needs_engine, run_case, run_headless
from paths import ROOT


@pytest.fixture(scope="module")
def built(astronaut_file, tmp_path_factory):
    """A folder with the head and the normals of the photo."""
    output = tmp_path_factory.mktemp("real")
    done = run_headless(astronaut_file, "--output", output, "--engine", ENGINE, "--samples", 0)
    assert done.returncode == 0, done.stdout + done.stderr
    command = [ENGINE, "-m", "hffne", "normals", astronaut_file, "-o", output / "normals"]
    subprocess.run(list(map(str, command)), env=environment(()), cwd=ROOT, check=True, timeout=300)
    return output


@needs_blender
@needs_engine
def test_blender_shades_the_head_with_the_normals_that_the_engine_saw(built):
    found = run_case("compare", built / "astronaut.blend", built / "normals" / "astronaut.npz", script="scene_cases.py")
    assert found["mean"] <= 1 and found["median"] <= 0.6, found
    # Without the eyes and the mouth, which are parts of their own, and where the photo shows too little.
    assert found["seen"] > 0.35, found


@needs_blender
@needs_engine
def test_the_head_has_the_keys_by_their_exact_names_and_gives_the_photo_back(built):
    found = run_case("real", built / "astronaut.blend", script="head_cases.py")
    assert found["keys"] == ["Basis", "Photo Expression", *ARKIT]
    # The basis has no value: Blender says 0 up to 4.5, 1 in 5.
    assert found["values"][1:] == [1, *[0] * len(ARKIT)]
    assert found["slots"][0] == "Skin" and {"Teeth", "Eye Left", "Eye Right", "Lashes"} <= set(found["slots"])
    assert all(found["used"]) and found["empty keys"] == []
    width, _, height = found["size"]
    assert 0.14 < width < 0.5 and 0.2 < height < 0.5
    # The jaw's key opens the lower face downward, a blink moves the lids alone.
    assert found["jawOpen"] < -0.01 and 0.004 < found["eyeBlinkLeft"] < 0.03


@needs_blender
@needs_engine
def test_a_real_head_goes_to_other_programs_and_back(built, tmp_path):
    shutil.copy(built / "astronaut.blend", tmp_path)
    found = run_case("real_files", tmp_path / "astronaut.blend", tmp_path, script="head_cases.py", timeout=600)
    for kind in ("gltf", "fbx"):
        assert found[kind]["names"] == ["Photo Expression", *ARKIT], kind
        assert found[kind]["off"] < 1e-6, kind


@pytest.mark.once
@needs_blender
@needs_engine
def test_a_sheet_shows_a_head_from_any_side_and_with_shape_keys(built, tmp_path):
    sheet = tmp_path / "sheet.png"
    command = [*BLENDER, "-m", "hffne_blender.contact_sheet", built / "astronaut.blend", "-o", sheet, "--clay"]
    command += ["--turns", 0, 180, "--keys", "jawOpen", "--height", 100, "--samples", 1]
    subprocess.run(list(map(str, command)), env=environment((ROOT,)), check=True, timeout=300)
    with Image.open(sheet) as picture:
        gray = np.asarray(picture.convert("L")).astype(float)
    assert gray.shape == (104, 3 * 80)
    front, back, opened = (gray[:100, start : start + 80] for start in (0, 80, 160))
    # Eyes, nose and mouth are edges that the back of the head lacks; an opened mouth is a dark hole.
    middle = slice(25, 65), slice(25, 55)
    assert np.abs(np.diff(front[middle], axis=0)).mean() > 1.3 * np.abs(np.diff(back[middle], axis=0)).mean()
    assert (opened[40:75, 20:60] < 45).sum() > (front[40:75, 20:60] < 45).sum() + 5
