# SPDX-License-Identifier: GPL-3.0-or-later
"""An interrupted `hffne build` leaves no file and no process. tests/long/interrupts.py does the same many times."""

import subprocess
import sys
from pathlib import Path

import pytest

from blender_process import needs_blender, needs_engine
from paths import ROOT


@pytest.mark.once
@needs_blender
@needs_engine
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc on Linux only")
def test_every_signal_leaves_nothing(astronaut_file):
    command = [sys.executable, str(ROOT / "tests" / "long" / "interrupts.py"), str(astronaut_file)]
    done = subprocess.run(
        [*command, "--times", "4", "--longest", "6"], capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0 and "4 interrupts, 0 left something" in done.stdout, done.stdout + done.stderr
