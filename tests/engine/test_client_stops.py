# SPDX-License-Identifier: GPL-3.0-or-later
"""Stopping an engine holds nobody up, whatever the engine does; and what is started is the user's own choice."""

import sys
import time

import pytest

from hffne_blender.engine import client as client_module
from hffne_blender.engine import launch, session
from hffne_blender.engine.client import EngineClient, EngineError

DEAF = (
    "import signal, sys, time\n"
    "for name in ('SIGTERM', 'SIGINT', 'SIGHUP'):\n"
    "    if hasattr(signal, name): signal.signal(getattr(signal, name), signal.SIG_IGN)\n"
    "print('up', file=sys.stderr, flush=True)\n"
)
# Longest time in which the caller must have its thread back: a machine may be busy.
AT_ONCE = 1.0


def started(more):
    client = EngineClient([sys.executable, "-c", DEAF + more])
    end = time.monotonic() + 30
    while "up" not in client.log() and time.monotonic() < end:
        time.sleep(0.05)
    assert "up" in client.log()
    return client


def gone(client):
    end = time.monotonic() + 30
    while client._process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    return client._process.poll() is not None


def test_an_engine_that_does_not_listen_is_stopped_without_waiting():
    client = started("time.sleep(600)")
    before = time.monotonic()
    client.close(wait=False)
    assert time.monotonic() - before < AT_ONCE
    assert gone(client)


def test_an_engine_that_closes_its_output_and_stays_holds_no_poll_up():
    client = started("import os; os.close(1); time.sleep(600)")
    task = client.request("generate", photo="x")
    longest = 0.0
    while not task.over:
        before = time.monotonic()
        client.poll()
        longest = max(longest, time.monotonic() - before)
        time.sleep(0.02)
    assert longest < AT_ONCE and task.error["code"] == "engine_died"
    assert gone(client)


def test_an_engine_that_floods_has_to_wait(monkeypatch):
    monkeypatch.setattr(client_module, "MOST_WAITING", 8)
    flood = (
        "import io\nfrom hffne.service import frames\nout = sys.stdout.buffer\n"
        "while True:\n"
        "    frames.write_frame(out, {'type': 'progress', 'id': 7, 'stage': 's', 'fraction': 0.5, 'message': 'm'})\n"
    )
    client = started("")
    client.close()
    client = started(flood)
    time.sleep(2)
    assert client._incoming.qsize() <= 8
    client.close(wait=False)
    assert gone(client)


def test_a_blend_cannot_choose_what_is_run_beside_itself():
    assert launch.find_python("//evil/python") == "//evil/python" and "whole path" in launch.refusal("//evil/python")
    with pytest.raises(EngineError, match="whole path"):
        session.request("//evil/python", "", None, False, {"type": "hello"})
    assert session.state.client is None
