# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a case of tests/in_blender in a process of its own, beside an engine of the test's choice."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from paths import CASES, ROOT, SUPPORT

# A Python with another version's bpy, see matrix.py and exit_cleanly.py; usually the Python of the tests.
OTHER = os.environ.get("HFFNE_TEST_BPY")
BLENDER = [OTHER, str(SUPPORT / "exit_cleanly.py")] if OTHER else [sys.executable]

needs_blender = pytest.mark.skipif(not OTHER and importlib.util.find_spec("bpy") is None, reason="needs the bpy module")

# The engine's Python: usually that of the tests; another one where Blender's Python has no engine.
ENGINE = os.environ.get("HFFNE_ENGINE_PYTHON", sys.executable)

needs_engine = pytest.mark.skipif(
    sys.executable == ENGINE and importlib.util.find_spec("torch") is None, reason="needs the engine"
)


def _run(command, path, timeout):
    # Blender cuts a long report in the middle of a letter when it prints it.
    return subprocess.run(
        command,
        env=environment(path),
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
    )


def run_case(name, *arguments, script, path=(), timeout=300):
    """The result of a case of a `script` in tests/in_blender; `path` goes in front of the Python path."""
    command = [*BLENDER, str(CASES / script), *map(str, (name, *arguments))]
    done = _run(command, path, timeout)
    results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert done.returncode == 0 and results, f"{name}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(results[0][len("RESULT ") :])


def run_headless(*arguments, path=(), timeout=600):
    command = [*BLENDER, "-m", "hffne_blender.headless", *map(str, arguments)]
    return _run(command, (*path, ROOT), timeout)


def environment(path):
    environ = dict(os.environ)
    environ.pop("HFFNE_ENGINE_PYTHON", None)
    places = [str(place) for place in path]
    if environ.get("PYTHONPATH"):
        places.append(environ["PYTHONPATH"])
    environ["PYTHONPATH"] = os.pathsep.join(places)
    environ["PYTHONUTF8"] = "1"
    return environ
