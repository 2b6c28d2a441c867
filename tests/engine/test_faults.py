# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the real engine process, one by one: a clear error, and the next request works."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hffne_blender
from hffne_blender.engine import client as client_module
from hffne_blender.engine import launch, session, watchdog
from paths import ROOT, SUPPORT

STAGES = ("load", "detect", "prn", "coarse", "fine", "band_merge", "unwrap", "mesh", "result")
# What the user sees: the error's code, and a word that must be in its message or hint.
REPORTED = {
    "kill": ("engine_died", "memory" if sys.platform != "win32" else "log"),
    "hang": ("engine_silent", "try again"),
    "stall": ("engine_stuck", "try again"),
    "memory": ("out_of_memory", "smaller"),
    "pipe": ("engine_died", "stopped"),
    "half": ("engine_died", "exit code 3"),
    "version": ("version_mismatch", "same version"),
    "garbage": ("engine_garbled", "same version"),
    "disk": ("file_error", "space"),
}


@pytest.fixture
def photo(astronaut_file, tmp_path):
    """photo(name) copies the astronaut to that name."""

    def make(name):
        return shutil.copy(astronaut_file, tmp_path / f"{name}.png")

    return make


@pytest.fixture
def engine(monkeypatch):
    """Sends requests through the extension's session, as Blender does; the names of photos choose the faults."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SUPPORT / "faults"), os.environ.get("PYTHONPATH", "")]))

    def generate(path):
        task = session.start(
            sys.executable,
            "cpu",
            None,
            False,
            {"type": "generate", "photo": str(path), "texture_size": 64, "grid": 16, "color": True},
        )
        session.state.client.wait(task, timeout=150)
        return task

    yield generate
    session.close()


@pytest.fixture
def standin(monkeypatch):
    monkeypatch.setenv("HFFNE_TEST_STANDIN", "1")


@pytest.mark.parametrize("stage", STAGES)
def test_killed_in_a_stage(engine, photo, stage, request):
    # The real networks where they hold most memory and threads: in the others the process is the same without.
    if stage != "fine":
        request.getfixturevalue("standin")
    task = engine(photo(f"fault.kill.{stage}"))
    assert (task.status, task.error["code"]) == ("error", "engine_died")
    assert task.error["message"] and task.error["hint"]
    assert engine(photo("next")).status == "done"


@pytest.mark.parametrize("action", sorted(set(REPORTED) - {"kill"}))
def test_each_fault_is_reported_and_the_next_request_works(standin, engine, photo, action, monkeypatch):
    monkeypatch.setattr(watchdog, "HEARTBEAT", 0.2)
    # The heartbeat itself takes a millisecond or two, ten times as often as usual.
    monkeypatch.setattr(watchdog, "WORKING_SHARE", 10 * watchdog.WORKING_SHARE)
    assert (before := engine(photo("before"))).status == "done", before.error
    if action in ("hang", "stall"):
        # Long enough for a busy machine, which the others need not fear.
        monkeypatch.setattr(watchdog, "SILENT_SECONDS", 3)
        monkeypatch.setattr(watchdog, "STUCK_SECONDS", 4)
    task = engine(photo(f"fault.{action}.fine"))
    assert task.status == "error"
    code, word = REPORTED[action]
    assert task.error["code"] == code, task.error
    assert word in task.error["message"] + task.error["hint"]
    assert "Traceback" not in str(task.error)
    monkeypatch.setattr(watchdog, "SILENT_SECONDS", 60)
    monkeypatch.setattr(watchdog, "STUCK_SECONDS", 180)
    assert engine(photo("next")).status == "done"


def test_a_slow_engine_that_works_is_not_stopped(standin, engine, photo, monkeypatch):
    monkeypatch.setattr(watchdog, "HEARTBEAT", 0.2)
    monkeypatch.setattr(watchdog, "SILENT_SECONDS", 3)
    monkeypatch.setattr(watchdog, "STUCK_SECONDS", 3)
    started = time.monotonic()
    assert engine(photo("fault.busy.fine")).status == "done"
    assert time.monotonic() - started > 5


def test_out_of_memory_in_the_real_networks(engine, photo):
    assert engine(photo("fault.memory.coarse")).error["code"] == "out_of_memory"
    pid = session.state.client.pid
    assert engine(photo("next")).status == "done"
    assert session.state.client.pid != pid, "a fresh engine answers"


def test_a_stage_that_never_ends_is_stopped_although_it_computes(standin, engine, photo, monkeypatch):
    monkeypatch.setattr(watchdog, "HEARTBEAT", 0.2)
    assert engine(photo("before")).status == "done"
    monkeypatch.setattr(watchdog, "STAGE_SECONDS", 3)
    task = engine(photo("fault.busy.fine"))
    assert task.error["code"] == "engine_stuck" and "minutes" in task.error["message"]
    monkeypatch.setattr(watchdog, "STAGE_SECONDS", 900)
    assert engine(photo("next")).status == "done"


def test_a_device_that_disappears(engine, photo):
    task = engine(photo("fault.device.fine"))
    assert task.status == "done"
    assert any("A Graphics Card" in notice and "CPU" in notice for notice in task.result[0]["notices"])
    assert engine(photo("next")).status == "done"


def test_a_flooded_log_neither_blocks_nor_fills_the_memory(standin, engine, photo):
    assert engine(photo("fault.stderr.fine")).status == "done"
    assert len(session.log()) <= client_module.LOG_LINES * (client_module.LOG_LINE_BYTES + 1)


def test_an_engine_that_does_not_stop_after_a_cancel_is_replaced(standin, engine, photo, monkeypatch):
    monkeypatch.setattr(client_module, "CANCEL_SECONDS", 0.5)
    assert (before := engine(photo("before"))).status == "done", before.error
    pid = session.state.client.pid
    fields = {
        "type": "generate",
        "photo": str(photo("fault.stall.fine")),
        "texture_size": 64,
        "grid": 16,
        "color": True,
    }
    task = session.start(sys.executable, "cpu", None, False, fields)
    end = time.monotonic() + 30
    while task.stage != "coarse" and time.monotonic() < end:
        session.poll(0.1)
    session.cancel()
    assert task.status == "cancelled", task.error
    time.sleep(0.6)
    assert engine(photo("next")).status == "done"
    assert session.state.client.pid != pid


def test_two_at_once(standin, engine, photo, tmp_path):
    """Another Blender, with an engine of its own, while ours dies: it notices nothing."""
    line, environ = launch.command(sys.executable, "cpu"), launch.environment()
    other = client_module.EngineClient(line, environ)
    try:
        theirs = other.request("generate", photo=str(photo("theirs")), texture_size=64, grid=16, color=True)
        assert engine(photo("fault.kill.fine")).status == "error"
        assert other.wait(theirs, timeout=60).status == "done"
        assert engine(photo("next")).status == "done"
    finally:
        other.close()


def test_the_clock_may_jump():
    now = [1000.0]
    waited = watchdog.IdleTimer(lambda: now[0])
    for _ in range(10):
        now[0] += 0.5
        waited.elapsed()
    assert waited.elapsed() == pytest.approx(5)
    now[0] += 8 * 3600  # the lid was closed
    assert waited.elapsed() == pytest.approx(6)
    now[0] -= 100  # no monotonic clock does that, but if one did
    assert waited.elapsed() == pytest.approx(6)
    waited.reset()
    assert waited.elapsed() == 0


def test_waiting_uses_the_monotonic_clock_only():
    """The wall clock is set by people, by the network, and by waking up."""
    folders = [Path(hffne_blender.__file__).parent, ROOT / "server" / "hffne" / "service"]
    looked = [path for folder in folders for path in folder.rglob("*.py")]
    assert len(looked) > 20
    for path in looked:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in (("time", "time"), ("datetime", "now")), path


# No orphans

BLENDER = """
import os, subprocess, sys
from hffne_blender.engine import launch
from hffne_blender.engine.client import EngineClient
client = EngineClient(launch.command(sys.executable, "cpu"), launch.environment())
task = client.request("generate", photo=sys.argv[1], texture_size=64, grid=16, color=True)
while task.stage != "detect" and not task.over:
    client.poll(0.1)
assert not task.over, task
if sys.argv[2] == "inherited":
    # Another child of Blender holds the engine's pipe open.
    held = client._process.stdin.fileno()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[held],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(other.pid)
else:
    print(0)
print(client.pid, flush=True)
os._exit(0) if sys.platform == "win32" else os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("how", ["alone", "inherited"])
def test_no_engine_outlives_a_blender_that_crashes(standin, engine, photo, how):
    if how == "inherited" and sys.platform == "win32":
        how = "alone"  # handles are not inherited there
    # In a stage that never ends, so that only the watch can end it.
    path = photo("fault.stall.prn")
    done = subprocess.run(
        [sys.executable, "-c", BLENDER, str(path), how],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )
    other, pid = map(int, done.stdout.split())
    try:
        end = time.monotonic() + 20
        while _alive(pid) and time.monotonic() < end:
            time.sleep(0.2)
        assert not _alive(pid), done.stderr
    finally:
        if other:
            os.kill(other, signal.SIGTERM)


def _alive(pid):
    if sys.platform == "win32":
        return str(pid) in subprocess.run(["tasklist", "/FI", f"PID eq {pid}"], capture_output=True, text=True).stdout
    if Path("/proc/self/stat").exists():
        # A zombie whose new parent does not reap it has ended, too.
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
