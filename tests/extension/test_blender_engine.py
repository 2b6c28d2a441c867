# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's engine client against an engine that speaks the protocol: no Blender, no networks."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hffne_blender.engine import launch
from hffne_blender.engine.client import EngineClient, EngineError
from paths import SUPPORT

FAKE = [sys.executable, str(SUPPORT / "fake_engine.py")]


@pytest.fixture
def client():
    made = EngineClient(FAKE)
    yield made
    made.close()
    assert not made.alive


def generate(client, name, **more):
    return client.request(
        "generate", **{"photo": f"/nowhere/{name}.jpg", "texture_size": 32, "grid": 16, "color": True, **more}
    )


def test_a_task_is_answered_with_arrays_and_progress(client):
    seen = []
    task = client.wait(generate(client, "face"), on_change=lambda task: seen.append(task.progress), timeout=60)
    assert task.status == "done"
    message, arrays = task.result
    assert message["name"] == "face"
    assert arrays["normal"].shape == (32, 32, 3) and arrays["normal"].dtype == np.uint16
    assert seen == sorted(seen) and seen[-1] == 1.0
    assert client.hello["device_name"] == "Fake"


def test_the_engine_answers_one_task_after_the_other(client):
    first, second = generate(client, "one"), generate(client, "two", color=False)
    client.wait(second, timeout=60)
    assert first.status == second.status == "done"
    assert "color" in first.result[1] and "color" not in second.result[1]


def test_an_error_is_data(client):
    task = client.wait(generate(client, "no_face_here"), timeout=60)
    assert task.status == "error"
    assert task.error["code"] == "no_face"
    assert "no_face_here" in task.error["message"] and task.error["hint"]
    # One failed photo is no reason to start over.
    assert client.alive
    assert client.wait(generate(client, "face"), timeout=60).status == "done"


def test_cancel_is_at_once_and_reaches_the_engine(client):
    task = generate(client, "slow")
    end = time.monotonic() + 60
    while task.progress < 0.1 and time.monotonic() < end:
        client.poll(0.1)
    start = time.monotonic()
    client.cancel(task)
    # The slow task takes ten seconds when nobody stops it.
    assert task.status == "cancelled" and time.monotonic() - start < 1
    assert client.wait(generate(client, "face"), timeout=5).status == "done"
    # The log comes by a pipe of its own, so it may come a little later than the answer.
    end = time.monotonic() + 30
    while f"cancelled {task.id}" not in client.log() and time.monotonic() < end:
        time.sleep(0.02)
    assert f"cancelled {task.id}" in client.log()


def test_polling_does_not_wait(client):
    generate(client, "slow")
    start = time.monotonic()
    for _ in range(1000):
        client.poll()
    assert time.monotonic() - start < 5


def test_a_dead_engine_is_an_error_with_its_last_words(client):
    task = client.wait(generate(client, "die"), timeout=60)
    assert task.error["code"] == "engine_died"
    assert "exit code 7" in task.error["message"] and "Out of memory" in task.error["message"]
    assert not client.alive


def test_garbage_on_stdout_is_an_error(client):
    assert client.wait(generate(client, "garble"), timeout=60).error["code"] == "engine_garbled"
    assert not client.alive


def test_a_program_that_is_not_there():
    with pytest.raises(EngineError) as caught:
        EngineClient(["/nowhere/python", "-m", "hffne", "serve"])
    assert caught.value.code == "engine_not_started"
    assert "preferences" in caught.value.hint


def test_a_python_without_the_engine():
    client = EngineClient([sys.executable, "-m", "hffne_is_not_here", "serve"])
    task = client.wait(generate(client, "face"), timeout=60)
    assert task.error["code"] == "engine_not_installed"
    # An artist has a button for it, and no command line.
    assert "Install Engine" in task.error["hint"] and "pip" not in task.error["hint"]


def test_an_idle_engine_is_stopped():
    client = EngineClient(FAKE, idle_seconds=0.3)
    task = generate(client, "face")
    assert client.wait(task, timeout=60).status == "done"
    end = time.monotonic() + 30
    while client.alive and time.monotonic() < end:
        time.sleep(0.05)
    assert not client.alive


def test_no_engine_outlives_its_client():
    script = (
        "import sys; from hffne_blender.engine.client import EngineClient\n"
        f"client = EngineClient({FAKE!r}); client.request('generate', photo='slow.jpg', texture_size=32, grid=16,"
        " color=True)\nprint(client.pid)"
    )
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not _exists(int(done.stdout))


def _exists(pid):
    import os

    if sys.platform == "win32":
        listing = subprocess.run(["tasklist", "/FI", f"PID eq {pid}"], capture_output=True, text=True).stdout
        return str(pid) in listing
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_engine_environment_drops_what_misleads_another_python(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/somewhere/else")
    monkeypatch.setenv("PYTHONPATH", "/pipeline")
    assert "PYTHONHOME" not in launch.environment()
    assert launch.environment()["PYTHONPATH"] == "/pipeline"
    assert "PYTHONPATH" not in launch.environment(inside_application=True)


def test_the_engine_python_is_found_in_order(monkeypatch, tmp_path):
    monkeypatch.delenv(launch.PYTHON_VARIABLE, raising=False)
    assert launch.find_python() == ""
    monkeypatch.setenv(launch.PYTHON_VARIABLE, "/from/variable")
    assert launch.find_python() == str(Path("/from/variable"))
    assert launch.find_python("", "/from/preferences") == str(Path("/from/preferences"))
    assert launch.find_python("/explicit", "/from/preferences") == str(Path("/explicit"))
    inside = tmp_path / "bin" / "python"
    inside.parent.mkdir()
    inside.touch()
    assert launch.find_python(str(tmp_path)) == str(inside)


def test_the_chosen_model_is_the_engines():
    assert launch.command("py", "cpu", "paper") == ["py", "-m", "hffne", "serve", "--device", "cpu", "--model", "paper"]
    assert launch.command("py") == ["py", "-m", "hffne", "serve"]
    assert launch.command("py", coarse="/c.onnx")[4:] == ["--coarse", os.path.abspath("/c.onnx")]
    assert launch.command("py", weights="/w")[4:] == ["--weights", os.path.abspath("/w")]
