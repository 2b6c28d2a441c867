# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests that use Blender, in its other versions: python tests/matrix.py [--only VERSION] [options of pytest]

--prepare makes the environments and runs nothing.

Each version is its bpy module in an environment of its own, with the numpy that this Blender
carries; the tests themselves, and the engine, run in the project's environment as always.
A version whose Python is not on this machine is skipped with a message. Tests marked `once` are left
out: tests/run.py has them. Standard library only.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from run import EXTRAS, project_python  # puts the bootstrap's folder on the path

from bootstrap import ROOT, clean_environ, pip, python_in, read_state, say

# bpy, its Python, and its Blender's own numpy. 4.5 is the one that tests/run.py has.
VERSIONS = (("4.2", "3.11", "1.24"), ("5.2", "3.13", "2.3"))
HOME = ROOT / ".venv-blender"


def main() -> int:
    """Run the tests in each version side by side; returns 1 when they failed in one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("--only", choices=[version[0] for version in VERSIONS], help="this version of Blender alone")
    parser.add_argument("--prepare", action="store_true", help="make the environments only")
    options, pytest_options = parser.parse_known_args()
    blenders = {}
    for bpy, version, numpy in VERSIONS:
        if options.only not in (None, bpy):
            continue
        maker = find_python(version)
        if maker:
            blenders[bpy] = environment(maker, bpy, numpy)
        elif options.only:
            sys.exit(f"matrix: no Python {version} on this machine, which Blender {bpy} needs")
        else:
            say(f"Blender {bpy} is skipped: no Python {version} on this machine")
    if options.prepare:
        return 0
    tests = project_python(EXTRAS)
    # Side by side, for they mostly wait for one Blender: the first prints as it runs, the others when it has ended.
    files = [str(p) for p in sorted((ROOT / "tests").glob("*/test_*.py")) if "needs_blender" in p.read_text("utf-8")]
    command = [tests, "-m", "pytest", "-p", "no:cacheprovider", "-m", "blender and not once", *files, *pytest_options]
    runs = {}
    for bpy, blender in blenders.items():
        log = tempfile.TemporaryFile() if runs else None  # noqa: SIM115 (read by `outcome`)
        say(f"The tests that use Blender, in Blender {bpy}" + (", printed afterwards" if log else ""))
        environ = clean_environ(HFFNE_TEST_BPY=str(blender))
        runs[bpy] = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log), log
    failed = [bpy for bpy, (process, log) in runs.items() if outcome(bpy, process, log)]
    if failed:
        print(f"matrix: tests failed in Blender {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def outcome(bpy: str, process: subprocess.Popen, log: IO[bytes] | None) -> int:
    """The exit code of a version's tests, when they have ended; prints what they logged."""
    code = process.wait()
    if log:
        say(f"Blender {bpy}:")
        log.seek(0)
        sys.stdout.write(log.read().decode("utf-8", "replace"))
        sys.stdout.flush()
    return code


def find_python(version: str) -> str:
    """A Python of this version as a path, or "": from the PATH or from pyenv."""
    places = [shutil.which(f"python{version}")]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    places += sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    for place in filter(None, places):
        probe = [str(place), "-c", "import venv, ensurepip, sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(probe, capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return str(place)
    return ""


def environment(maker: str, bpy: str, numpy: str) -> Path:
    """The Python of the environment with this bpy; what is there already is not installed again."""
    folder, wanted = HOME / bpy, [f"bpy=={bpy}.*", f"numpy=={numpy}.*"]
    python = python_in(folder)
    stamp = folder / "hffne-installed.json"
    if read_state(stamp) != {"packages": wanted}:
        say(f"Installing {' '.join(wanted)}")
        subprocess.run([maker, "-m", "venv", "--clear", folder], check=True)
        pip(python, "install", *wanted)
        stamp.write_text(json.dumps({"packages": wanted}), "utf-8")
    return python


if __name__ == "__main__":
    sys.exit(main())
