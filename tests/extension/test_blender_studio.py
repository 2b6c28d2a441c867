# SPDX-License-Identifier: GPL-3.0-or-later
"""Lights, turntables, cards and cameras around faces: each face has its own, and an artist's objects stay."""

import pytest

from blender_process import needs_blender
from blender_process import run_case as run_any_case


def run_case(name, *arguments, **more):
    return run_any_case(name, *arguments, script="studio_cases.py", **more)


@pytest.mark.once
@needs_blender
def test_what_an_artist_puts_beside_or_onto_ours_stays():
    for kind, found in run_case("guests").items():
        assert found["kept"] == [True] * 3 and found["moved"] < 1e-5, kind
        assert found["collections"] == 1 and found["replaced"] and found["count"], kind


@pytest.mark.once
@needs_blender
def test_each_face_has_its_own_lights_turntable_and_card():
    found = run_case("two_faces")
    assert found.pop("gone")
    for which, kept in found.items():
        assert kept == [True, True], which


@needs_blender
def test_the_scene_s_own_camera_and_frames_come_back():
    found = run_case("scene_settings")
    assert found["poll"] == [False, True, False]
    turn, photo = "Ada Turntable Camera", "Ada Photo Camera"
    assert found["turn"] == [[turn, 1, 8], [photo, 1, 8], [turn, 1, 12]]
    assert found["restored"] == ["Own", 10, 40]
    assert found["changed"] == ["Own", 1, 99] and found["none"] == [None, 1, 99]
    assert found["hostile"] == [False] * 3
    assert found["collections"] == [["Ada Lights and Cameras", 7]]
    assert found["names"] == [
        "Ada Photo", "Ada Photo Camera", "Ada Photo Light", "Ada Raking", "Ada Raking Light", "Ada Turntable",
        "Ada Turntable Camera",
    ]  # fmt: skip
    assert found["long"] == [4, 4]


@pytest.mark.once
@needs_blender
def test_a_viewport_leaves_the_view_of_a_camera_that_it_was_led_into():
    found = run_case("camera_view")
    for name in ("none", "own", "by oneself"):
        (through, _), (left, turned) = found[name]
        assert (through, left) == ("CAMERA", "PERSP") and turned < 1e-3, name
    assert [perspective for perspective, _ in found["through own"]] == ["CAMERA", "CAMERA"]


@pytest.mark.once
@needs_blender
def test_each_face_has_one_camera_of_its_photo():
    found = run_case("photo_view")
    first, second, again = found["cameras"]
    assert first == again != second and found["count"] == 2
    assert found["size"] == [1920, 1080] and found["matched"] == [640, 512]
    assert max(found["off"]) < 0.05


@needs_blender
def test_the_turntable_is_rendered_on_request(tmp_path):
    found = run_case("turntable", tmp_path)
    assert "Press Turntable first" in found["without"]
    assert found["added"] == found["state"] == ["FINISHED"] and found["kept"]
    assert found["frames"] == [1, 8]
    assert found["files"] == [f"fake_turntable_000{number}.png" for number in (1, 3, 5, 7)]
    assert found["size"] == [48, 48] and found["lit"] > 0.2
    assert found["sides"] > 5 * found["same side"]
    assert found["again"] == [1, 1, True]
    assert "There is no folder" in found["folder 0"] and "nowhere" in found["folder 1"]
    assert found["skipped"] == [True] * 3


@needs_blender
def test_lights_stand_around_the_face_and_replace_one_another():
    found = run_case("lights")
    lights = {"SOFT": 3, "REMBRANDT": 2, "BUTTERFLY": 3, "SPLIT": 1, "RIM": 3, "RAKING": 1}
    for preset, count in lights.items():
        # One collection, its lights, nothing left of the one before.
        assert found[preset] == [1, count, 0], preset
    # The face is moved, turned and scaled: the raking light circles around its axis all the same.
    assert found["grazing"] == pytest.approx([70] * 4, abs=0.01)
    assert max(found["aim"]) < 0.1
    assert found["opposite"] == pytest.approx(140, abs=0.01)
    assert found["undone"] == [0, 1] and found["redone"] == [1, 3]


@needs_blender
def test_the_photo_is_lit_from_where_the_light_is_dragged(tmp_path):
    found = run_case("relight", tmp_path / "relit.blend")
    assert found["state"] == ["FINISHED"] and found["cards"] == 1
    # The same as the formula with numpy, in linear light.
    for which in ("left", "dragged", "reopened"):
        assert found[which] < 0.02, which
    assert "Photo Relighting: enable it under Output" in found["without"]
