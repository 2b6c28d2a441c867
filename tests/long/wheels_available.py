# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether every platform has a wheel of each package: python tests/long/wheels_available.py [PLATFORM...]

The locked versions of the engine for Blender's Pythons, with PyTorch; and, where CI runs, those of the tests and of the
checks. pip only looks, and downloads nothing where the index has the packages' metadata.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "server"))

from bootstrap import ENGINE_LOCKS, TORCH, lock_of
from hffne.wheels import PLATFORMS, pip_options

# Of developers' machines, for Python 3.11. Blender's module, and with it some of these, is not made for others.
CI_PLATFORMS = ("win_amd64", "macosx_arm64", "manylinux_x86_64")
CI_LOCKS = [("3.11", lock_of(extra)) for extra in ("blender", "test", "lint")]


def wanted(lock):
    return [*re.findall(r"^(\S+==\S+)", lock.read_text("utf-8"), re.M), TORCH]


def look(platform, python, lock):
    """How many wheels there are, or pip's words about what is missing."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        # `pip install` holds this Python's version against what a package requires, whatever --python-version.
        options = ["--dry-run", "--ignore-installed", "--no-deps", "--ignore-requires-python", "--quiet"]
        options += ["--target", folder, *pip_options(platform, python), "--report", str(report)]
        command = [sys.executable, "-m", "pip", "install", *options, *wanted(lock)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            return 0, (errors or [done.stderr])[-1]
        count = len(json.loads(report.read_text("utf-8"))["install"])
        return count, f"{count} wheels"


def main(platforms):
    missing = False
    for platform in platforms or PLATFORMS:
        for python, lock in [*ENGINE_LOCKS.items(), *(CI_LOCKS if platform in CI_PLATFORMS else [])]:
            count, said = look(platform, python, lock)
            print(f"{platform}, Python {python}, {lock.name}: {said}", flush=True)
            missing |= not count
    return int(missing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
