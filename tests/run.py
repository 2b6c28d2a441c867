# SPDX-License-Identifier: GPL-3.0-or-later
"""All tests on a bare machine: python tests/run.py [options of pytest]

Makes the project's environment when there is none. Files of tests run side by side, for many wait for an engine or
a Blender; `-n 0` runs them one after the other. Standard library only.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))

from bootstrap import ROOT, SetupFailed, ensure_environment, run, say


def tests_python():
    """The Python of the project's environment; ends the program where there can be none."""
    try:
        return ensure_environment(["blender", "test"])
    except SetupFailed as error:
        sys.exit(f"tests: {error}")


def main():
    python = tests_python()
    say("Running the tests")
    side_by_side = ["-n", min(4, os.cpu_count() or 1), "--dist", "loadfile"]
    return run(python, "-m", "pytest", *side_by_side, "--durations=10", *sys.argv[1:], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
