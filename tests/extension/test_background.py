# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that work beside the user: progress, Esc, errors; the engine is the fake one."""

import pytest

from blender_process import needs_blender, run_case


@pytest.fixture
def folder(tmp_path):
    """Photos by name only, as the fake engine takes them."""
    for name in ("good 1.jpg", "good 2.jpg", "no_face.png", "slow.jpg"):
        (tmp_path / name).write_bytes(b"the fake engine does not look inside")
    return tmp_path


def run(name, folder, fake_engine):
    return run_case(name, folder, path=[fake_engine], script="background_cases.py")


@pytest.mark.once
@needs_blender
def test_work_with_requests_runs_beside_the_user(fake_engine, folder):
    found = run("background", folder, fake_engine)
    done, failed, stopped = found["done"], found["failed"], found["stopped"]
    for each in (done, failed, stopped):
        runs_beside_the_user(each)
    assert done["last"] == ["FINISHED"] and done["got"] == ["good 1", "good 2"] and done["error"] is None
    # Half of what is left for each of the two answers.
    assert done["most"] == 0.75 and "Finding the face" in done["messages"]
    assert failed["last"] == ["CANCELLED"] and failed["got"] == ["good 1"] and failed["error"] == "no_face"
    assert stopped["last"] == ["CANCELLED"] and stopped["reports"] == ["Cancelled"] and stopped["error"] is None
    assert found["next"] == ["good 1"] and found["seconds"] < 9


@needs_blender
def test_generating_from_the_button(fake_engine, folder):
    found = run("generate", folder, fake_engine)
    done, stopped, failed = (found[name] for name in ("good 1.jpg", "slow.jpg", "no_face.png"))
    for each in (done, stopped, failed):
        runs_beside_the_user(each)
    assert done["last"] == ["FINISHED"] and done["built"] == 1 and done["most"] == 1 and done["error"] is None
    assert {"Finding the face", "Building the face"} <= set(done["messages"]) and found["active"] == "good 1"
    assert stopped["last"] == ["CANCELLED"] and stopped["built"] == 0 and stopped["error"] is None
    assert stopped["reports"] == [["INFO", "Cancelled"]]
    assert failed["last"] == ["CANCELLED"] and failed["built"] == 0 and failed["error"] == "no_face"
    assert found["again"] == [True, 2] and found["size"] == 1024


@pytest.mark.once
@needs_blender
def test_the_queue_from_the_button(fake_engine, folder):
    found = run("queue", folder, fake_engine)
    stopped, resumed, nothing = found["stopped"], found["resumed"], found["nothing"]
    # What is done stays, and is one step of undo.
    assert stopped["last"] == ["FINISHED"] and stopped["states"] == ["DONE", "WAITING", "WAITING"]
    assert stopped["reports"] == [["WARNING", "Cancelled. 3 photos: 1 done, 2 left."]]
    assert resumed["last"] == ["FINISHED"] and resumed["states"] == ["DONE", "DONE", "FAILED"]
    assert found["objects"] == ["good 1", "good 2"]
    assert nothing["last"] == ["CANCELLED"] and "No photo is waiting" in nothing["reports"][0][1]
    for each in (stopped, resumed):
        assert each["first"] == ["RUNNING_MODAL"] and not each["running"] and each["longest"] < 0.5


def runs_beside_the_user(found):
    assert found["first"] == ["RUNNING_MODAL"] and found["rising"] and not found["running"], found
    # The status bar shows it, and is cleared at the end.
    assert "Esc: Cancel" in found["status"][0] and found["status"][1] is None
    assert found["longest"] < 0.2
