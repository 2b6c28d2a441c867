# SPDX-License-Identifier: GPL-3.0-or-later
"""All tests on a bare machine: python tests/run.py [--no-blender] [options of pytest]

Makes the project's environment when there is none. Files of tests run side by side, for many wait for an engine or
a Blender; `-n 0` runs them one after the other. --no-blender neither installs Blender's Python module nor runs the
tests that start it. Standard library only.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))

from bootstrap import ROOT, SetupFailed, ensure_environment, run, say

EXTRAS = ["blender", "test"]

# The processes that run side by side take all cores; threads in each would wait for one another.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")


def project_python(extras: list[str]) -> Path:
    """The Python of the project's environment with these extras; ends the program where it cannot be made."""
    try:
        return ensure_environment(extras)
    except SetupFailed as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: {error}")


def main() -> int:
    """Run pytest in the project's environment and return its exit code."""
    options = sys.argv[1:]
    without_blender = "--no-blender" in options
    if without_blender:
        options = ["-m", "not blender", *(option for option in options if option != "--no-blender")]
    python = project_python([extra for extra in EXTRAS if extra != "blender" or not without_blender])
    say("Running the tests")
    # In the order of the files: those with few tests, which would come last, are the longest.
    side_by_side = ["-n", min(4, os.cpu_count() or 1), "--dist", "loadfile", "--no-loadscope-reorder"]
    return run(python, "-m", "pytest", *side_by_side, "--durations=10", *options, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
