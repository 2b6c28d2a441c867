# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether every platform has a wheel of each package: python tests/long/wheels_available.py [PLATFORM...]

The locked versions for Blender's Pythons, and PyTorch. pip only looks, and downloads nothing where the index has the
packages' metadata.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "server"))

from bootstrap import ENGINE_LOCKS, TORCH
from hffne.wheels import PLATFORMS, pip_options


def wanted(python):
    lock = ENGINE_LOCKS[python].read_text("utf-8")
    return [*re.findall(r"^(\S+==\S+)", lock, re.M), TORCH]


def main(platforms):
    missing = []
    for platform in platforms or PLATFORMS:
        for python in ENGINE_LOCKS:
            with tempfile.TemporaryDirectory() as folder:
                report = Path(folder) / "report.json"
                options = ["--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--target", folder]
                options += [*pip_options(platform, python), "--report", str(report)]
                command = [sys.executable, "-m", "pip", "install", *options, *wanted(python)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
                    missing.append(f"{platform}, Python {python}: {(errors or [done.stderr])[-1]}")
                    print(missing[-1], flush=True)
                    continue
                found = json.loads(report.read_text("utf-8"))["install"]
                print(f"{platform}, Python {python}: {len(found)} wheels", flush=True)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
