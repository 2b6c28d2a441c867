# SPDX-License-Identifier: GPL-3.0-or-later
"""Head or mask: the choice in the panel, the operators and without a window; a mask that becomes a head."""

import sys

import pytest

from blender_process import needs_blender, run_case, run_headless

# The check boxes of the maps.
MAPS = [
    f"map_{n}" for n in ["albedo", "bands", "height", "occlusion", "roughness", "curvature", "relight", "seen", "pores"]
]


def run(name, fake_engine, folder):
    return run_case(name, sys.executable, folder, path=[fake_engine], script="make_head_cases.py")


@needs_blender
def test_the_panel_and_the_queue_choose_head_or_mask(fake_engine, tmp_path):
    found = run("base", fake_engine, tmp_path)
    assert found["HEAD"] == [True, "head", "game", 512, ["glasses"]]
    assert found["MASK"] == [False, "mask", "game", None, []]
    assert found["HEAD panel"] == [
        "base",
        "detail_size",
        "texture_size",
        "lod",
        "color",
        "keep_hair",
        "keep_glasses",
        "face",
        *MAPS,
    ]
    assert found["MASK panel"] == [
        "base",
        "detail_size",
        "texture_size",
        "grid",
        "color",
        "keep_hair",
        "keep_glasses",
        "face",
        *MAPS,
    ]
    assert found["HEAD photo"] == found["MASK photo"] == [True, 0]
    # Only a mask can become a head, and only a head has the photo's expression as a key.
    assert found["HEAD detail"] == [False, True] and found["MASK detail"] == [True, False]
    assert not found["HEAD poll"] and found["MASK poll"]
    assert found["queue"] == [True, True]


@needs_blender
def test_a_mask_becomes_a_head_in_its_place(fake_engine, tmp_path):
    found = run("make_head", fake_engine, tmp_path)
    assert found["state"] == ["FINISHED"] and found["head"] == [True, True, True]
    assert found["moved"] < 1e-6 and found["parent"] == "holder" and "People" in found["collections"]
    assert found["strength"] == pytest.approx(0.4) and found["photo"] == 1
    assert found["mask"] == [True, True] and not found["poll"]
    assert found["undone"] == [False, False, 1] and found["redone"] == 1


@needs_blender
@pytest.mark.once
def test_a_head_makes_room_for_what_the_mask_did_not_touch():
    found = run_case("make_head_room", script="make_head_cases.py")
    # The other one ends at 0.23, the large one begins 0.15 before its middle, with a gap of 0.03.
    assert found["beside"] == pytest.approx([0.41, 0.41])
    assert found["inside"] == [0, 0]


@pytest.mark.once
@needs_blender
def test_what_cannot_become_a_head_stays_as_it_is(fake_engine, tmp_path):
    found = run("make_head_errors", fake_engine, tmp_path)
    assert [found[which] for which in ("old", "missing", "profile")] == ["no_photo", "photo_not_found", "no_head"]
    assert found["left"] == [True, False, False]
    assert found["given"] == ["FINISHED"] and found["stored"]
    assert found["gone"] == [] and found["beside"]


@pytest.mark.once
@needs_blender
@pytest.mark.parametrize("base", ["head", "mask"])
def test_headless_builds_either(fake_engine, tmp_path, base):
    photo = tmp_path / "good.jpg"
    photo.touch()
    output = tmp_path / "out"
    done = run_headless(
        photo, "--output", output, "--engine", sys.executable, "--base", base, "--lod", "half", "--samples", 0,
        "--maps", "none", path=[fake_engine],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = run_case("textures_of", output / "good.blend", script="scene_cases.py")
    assert ("Teeth" in found["groups"]) == (base == "head")
