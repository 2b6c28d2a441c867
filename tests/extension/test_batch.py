# SPDX-License-Identifier: GPL-3.0-or-later
"""Many photos: the queue, its states, trying again; and several photos of one face."""

import sys

import pytest

from blender_process import needs_blender, run_case
from paths import SUPPORT


@pytest.fixture
def folder(tmp_path):
    """Photos by name only, as the fake engine takes them, and a file that is none."""
    for name in ("good 1.jpg", "good 2.jpg", "no_face.png", "die.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"the fake engine does not look inside")
    return tmp_path


def run(name, *arguments, path=()):
    return run_case(name, *arguments, path=path, script="batch_cases.py", timeout=600)


@needs_blender
def test_a_folder_is_worked_off_and_failures_are_told_and_tried_again(fake_engine, folder):
    found = run("queue", sys.executable, folder, path=[fake_engine])
    assert found["state"] == ["FINISHED"]
    good = {"good 1.jpg": "DONE", "good 2.jpg": "DONE"}
    assert found["states"] == {**good, "die.jpg": "FAILED", "no_face.png": "FAILED"}
    assert "No face was found" in found["messages"]["no_face.png"] and "exit code 7" in found["messages"]["die.jpg"]
    assert found["objects"] == ["good 1", "good 2"] and found["places"] == 2 and found["pointers"]
    assert found["summary"].startswith("4 photos: 2 done, 2 failed.")
    assert found["searched"] == ["die.jpg", "good 1.jpg", "good 2.jpg", "no_face.png"] and found["options"] == ["UNDO"]
    assert found["kept"]
    assert "No photo is waiting" in found["nothing waits"]
    assert found["retried"] == [["FINISHED"], {**good, "die.jpg": "FAILED", "better.jpg": "DONE"}]
    assert found["new"] == ["better"]
    assert found["again"] == [["FINISHED"], "FAILED"]
    assert found["left"] == ["die.jpg"]


@pytest.mark.once
@needs_blender
def test_files_alone_leave_nothing_in_the_scene(fake_engine, folder, tmp_path_factory):
    found = run("files_only", sys.executable, folder, tmp_path_factory.mktemp("out"), path=[fake_engine])
    assert "There is no folder" in found["nowhere"][0] and found["nowhere"][1] == 0
    assert found["state"] == ["FINISHED"] and set(found["left"].values()) == {0}, found["left"]
    assert found["done"] == [[True, "files"]] * 3
    names = ("good_1", "good_1_2", "good_2")
    assert found["models"] == sorted(f"{name}.{kind}" for name in names for kind in ("fbx", "glb"))
    assert found["normals"] == sorted(f"{name}_Normal.png" for name in names)


@pytest.mark.once
@needs_blender
def test_without_an_engine_the_queue_stops_and_all_still_wait(folder):
    found = run("queue_without_engine", folder)
    assert found["code"] == "engine_not_set" and "preferences" in found["said"]
    assert len(found["states"]) == 4 and set(found["states"].values()) == {"WAITING"}
    assert found["twice"] == ["FINISHED"]


@pytest.mark.once
@needs_blender
def test_several_photos_make_one_face(fake_engine, folder):
    found = run("merge", sys.executable, folder, path=[fake_engine])
    assert found["state"] == ["FINISHED"] and found["object"] == "good 1"
    codes = {name: code for name, (code, _) in found["said"].items()}
    assert codes == {"one": "few_photos", "missing": "photo_not_found", "no list": "bad_request"}
    assert found["left"]


@pytest.mark.once
@needs_blender
def test_names_collide_are_long_and_of_all_writing(fake_engine, tmp_path):
    found = run("names", tmp_path, path=[fake_engine])
    assert found["made"][:2] == ["good 1", "good 1.001"] and len(set(found["made"])) == 5
    assert found["made"][3] == "Ängström é 🙂" and all(len(name.encode()) < found["longest"] for name in found["made"])
    # No two faces share a texture.
    assert found["apart"]
    assert found["applied"] == found["exported"] == ["FINISHED"] and found["images"] == 2 and found["files"] > 0


@pytest.mark.once
@needs_blender
@pytest.mark.parametrize("code", ["engine_incomplete", "version_mismatch", "weights_missing"])
def test_what_no_photo_can_help_stops_the_queue(code, folder, tmp_path_factory):
    """An engine that answers every photo with such an error gets one request, and all photos still wait."""
    place = tmp_path_factory.mktemp("failing")
    (place / "hffne").mkdir()
    (place / "hffne" / "__init__.py").touch()
    fake = SUPPORT / "fake_engine.py"
    source = f"import runpy\nfake = runpy.run_path({str(fake)!r})\n"
    source += f"fail = {{'type': 'error', 'code': {code!r}, 'message': 'Not today.', 'hint': ''}}\n"
    source += "write = fake['frames'].write_frame\n"
    source += (
        "fake['main'].__globals__['generate'] = lambda m: write(fake['OUT'], {**fail, 'id': m['id']})\nfake['main']()\n"
    )
    (place / "hffne" / "__main__.py").write_text(source)
    found = run("queue_without_engine", folder, sys.executable, path=[place])
    assert found["code"] == code and set(found["states"].values()) == {"WAITING"}


@needs_blender
def test_the_panels_show_the_queue_and_the_character(fake_engine, folder):
    found = run("panels", sys.executable, folder, path=[fake_engine])
    assert any("hffne.batch_add" in line for line in found["empty"])
    assert not any("hffne.batch_run" in line for line in found["empty"])
    assert "label 2 done, 2 failed" in found["run"]
    assert any("The largest of 3 faces." in line for line in found["group"])
    assert any("Retry Failed" in line for line in found["run"])
    assert not any("hffne.apply_to_mesh" in line for line in found["no mesh"])
    assert any("hffne.apply_to_mesh" in line for line in found["mesh"])
