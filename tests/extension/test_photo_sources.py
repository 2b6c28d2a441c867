# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the panel's photo comes from, the choice of a face, and the engine's release."""

import sys

import pytest

from blender_process import needs_blender, run_case

SCRIPT = "photo_cases.py"


@needs_blender
def test_an_open_image_becomes_a_private_file(tmp_path):
    found = run_case("images", tmp_path, script=SCRIPT)
    # Own file of the image, pixels as shown, removed afterwards, name, nobody else's to read.
    assert found["generated"] == [False, True, True, "Tante_ Äg_nes", "0o700"]
    assert found["float"] == [False, True, True, "floats", "0o700"]
    assert found["file"] == [True, True, True, "on disk", True]
    assert found["packed bytes"]
    assert found["painted over"] == [False, True, True, "on disk", "0o700"]
    assert found["nobody"] == "no_image" and found["film"] == "bad_image"
    assert found["left"] == []
    assert found["known"] and found["offered"] == ["Tante: Äg/nes.png", "floats", "on disk.png"]


@pytest.mark.once
@needs_blender
def test_a_face_of_an_open_image(fake_engine, tmp_path):
    found = run_case("generate", sys.executable, tmp_path, path=[fake_engine], script=SCRIPT)
    assert found["Aunt"] == [["FINISHED"], []] and found["object"] == "Aunt"
    assert found["no_face"] == ["no_face", []]
    assert found["die"] == ["engine_died", []]
    assert found["broken"] == ["bad_asset", []]
    assert found["panel"] == ["FINISHED"] and found["requested"]
    assert found["kept"] == ["IMAGE", "Aunt"]


@needs_blender
def test_the_menu_entry_builds_a_face_and_a_face_becomes_an_asset(fake_engine, tmp_path):
    found = run_case("add_menu", sys.executable, tmp_path, path=[fake_engine], script=SCRIPT)
    assert any("hffne.open_photo" in line for line in found["drawn"])
    assert found["state"] == ["FINISHED"] and found["made"] == "Ada" and found["without"] == 1
    assert found["marked"] == [["FINISHED"]] * 2 and found["tags"] == ["Face"]


@needs_blender
def test_the_faces_of_a_photo_to_choose_from(fake_engine, tmp_path):
    found = run_case("faces", sys.executable, tmp_path, path=[fake_engine], script=SCRIPT)
    state, boxes, face, drawn = found["group.jpg"]
    assert state == ["FINISHED"] and len(boxes) == 3 and boxes[1] == [10, 20, 99, 119]
    # Without a window Blender gives pictures no icons: their numbers remain.
    assert face == 2 and drawn == [0, 3, False]
    # There is no second face, so the choice goes back to the largest; nothing to choose, nothing shown.
    state, boxes, face, drawn = found["single.jpg"]
    assert len(boxes) == 1 and face == 0 and drawn == [0, 0, False]
    assert found["empty.jpg"] == [["FINISHED"], [], 0, [0, 0, True]]
    assert found["told"] == ["3 faces: choose one (98 px wide)", "Detail up to 256, texture size 256"]
    side, at, inside, outside, beside = found["overview"]
    # The first face's box lies at (10, 20) of 640 x 480 pixels, 128 x 96 of the picture's with 16 rows above.
    assert side == [128, 128] and at == [255, 191, 26, 255] and inside == outside == [128, 128, 128, 255]
    # The panel's color, and no black bar, is beside a photo that is no square.
    assert beside[3] == 0
    assert found["details"] == [256, 256, 512, 1024, 2048, 1024]
    assert "cannot be read" in found["refuse.jpg"][0]
    assert found["chosen"] == [3, "3", [[128, 128]] * 3]
    assert found["other"] == [0, 0, False]
    assert found["awaited"] == [True, 1] and found["not awaited"]
    assert found["image"] == [["FINISHED"], 3] and found["left"] == []


@needs_blender
def test_files_drops_and_the_clipboard(tmp_path):
    found = run_case("sources", tmp_path, script=SCRIPT)
    assert found["open"] == [["FINISHED"], True] and found["source"] == "FILE"
    for name, words in {"missing": "There is no file", "none": "No photo is chosen", "paste": "clipboard"}.items():
        text, untouched = found[name]
        assert words in text and untouched, name
    assert found["handler"] == ["hffne.open_photo", True, False]
    assert found["drop"].pop("VIEW_3D") is True
    assert found["drop"] and not any(found["drop"].values())


@pytest.mark.once
@needs_blender
def test_the_engine_is_released_and_started_again(fake_engine, tmp_path):
    found = run_case("release", sys.executable, tmp_path, path=[fake_engine], script=SCRIPT)
    assert not found["before"] and found["running"] == [True, None]
    assert found["state"] == ["FINISHED"] and found["ended"] == [True, "", False]
    assert found["redone"] is False and found["again"] is True


@needs_blender
def test_everything_has_a_tooltip():
    assert run_case("tooltips", script=SCRIPT)["silent"] == []
