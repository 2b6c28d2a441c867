# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the project's own Python environment, `.venv`. Standard library only.

`server/quickstart.py` and `tests/run.py` share it, so that both run on a machine
that has nothing but Python and a connection to the package index.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# bpy 4.5 is made for this Python only.
PYTHON = (3, 11)
OLDEST_PYTHON = (3, 10)

TORCH = "torch==2.13.0"
# On Linux and Windows the default build of torch carries gigabytes of CUDA.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

_STAMP = "hffne-installed.json"


class SetupFailed(Exception):
    """The environment could not be made; the message says what to do."""


def say(text):
    print(f"== {text}", flush=True)


def ensure_environment(extras):
    """Make `.venv` or bring it up to date; returns the path of its Python.

    extras: names of the extras of pyproject.toml. What is already installed is
    not installed again. HFFNE_VENV names another folder for the environment.
    """
    folder = Path(os.environ.get("HFFNE_VENV") or ROOT / ".venv")
    python = python_in(folder)
    if not _works(python):
        _make_venv(folder)
        if not _works(python):
            raise SetupFailed(f"The environment in {folder} does not work. Delete the folder and try again.")
    stamp = folder / _STAMP
    state = read_state(stamp)
    fingerprint = _fingerprint()
    # Extras pile up: the tests and the quick start use one environment.
    wanted = sorted(set(extras) | set(state.get("extras", [])))
    if state.get("fingerprint") == fingerprint and state.get("extras") == wanted:
        say(f"The environment {folder} is ready.")
        return python
    stamp.unlink(missing_ok=True)
    _install_torch(python)
    say(f"Installing the project with {', '.join(wanted)} (some minutes the first time)")
    pip(python, "install", "-e", f"{ROOT}[{','.join(wanted)}]")
    stamp.write_text(json.dumps({"fingerprint": fingerprint, "extras": wanted}), encoding="utf-8")
    return python


def run(python, *arguments, **options):
    """Run the environment's Python with a clean module path; returns the exit code."""
    return subprocess.run([str(python), *map(str, arguments)], env=clean_environ(), **options).returncode


def clean_environ(**more):
    """The variables of this process, and `more`, for the Python of another environment."""
    environ = dict(os.environ, PYTHONUTF8="1", **more)
    environ.pop("PYTHONHOME", None)
    return environ


def python_in(folder):
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _works(python):
    if not python.exists():
        return False
    try:
        check = [str(python), "-c", "import pip"]
        return subprocess.run(check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def _make_venv(folder):
    maker = _find_maker()
    say(f"Making a Python environment in {folder}")
    # A half-made environment, or one whose Python has gone.
    command = [*maker, "-m", "venv", "--clear", str(folder)]
    if subprocess.run(command).returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise SetupFailed(
            "Python could not make a virtual environment. On Debian and Ubuntu install it first: "
            f"sudo apt install python{PYTHON[0]}.{PYTHON[1]}-venv"
        )


def _find_maker():
    """The command of a Python 3.11, or else of this Python."""
    if sys.version_info[:2] == PYTHON:
        return [sys.executable]
    name = f"{PYTHON[0]}.{PYTHON[1]}"
    candidates = [["py", f"-{name}"]] if os.name == "nt" else [[f"python{name}"]]
    for candidate in candidates:
        if not shutil.which(candidate[0]):
            continue
        probe = [*candidate, "-c", "import sys; print(sys.version_info[:2])"]
        answer = subprocess.run(probe, capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.strip() == str(PYTHON):
            return candidate
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise SetupFailed(f"Python {name} is needed; this is {sys.version.split()[0]}.")
    say(f"No Python {name} here: going on with {sys.version.split()[0]}, without Blender's Python module.")
    return [sys.executable]


def _install_torch(python):
    if _installed_torch(python).split("+")[0] == TORCH.split("==")[1]:
        return
    say(f"Installing {TORCH}")
    if _default_is_cuda() and not _has_nvidia() and _reachable(TORCH_CPU_INDEX):
        try:
            pip(python, "install", TORCH, "--extra-index-url", TORCH_CPU_INDEX)
            return
        except SetupFailed:
            say("The CPU build could not be had; trying the default one")
    pip(python, "install", TORCH)


def _installed_torch(python):
    """Its version, or "" when it is not there."""
    command = [str(python), "-c", "import importlib.metadata as m; print(m.version('torch'))"]
    answer = subprocess.run(command, capture_output=True, text=True)
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _default_is_cuda():
    return sys.platform.startswith("linux") or os.name == "nt"


def _has_nvidia():
    return shutil.which("nvidia-smi") is not None


def _reachable(url):
    try:
        with urllib.request.urlopen(url + "/", timeout=5) as answer:
            return answer.status == 200
    except (OSError, ValueError):
        return False


def pip(python, *arguments):
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    environment = dict(os.environ)
    # A user-wide site or another environment must not answer for what is missing here.
    for name in ("PYTHONHOME", "PYTHONPATH", "PIP_USER"):
        environment.pop(name, None)
    if subprocess.run(command, env=environment).returncode:
        raise SetupFailed("pip failed; its last lines above say why. Check the connection and try again.")


def read_state(stamp):
    try:
        return json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _fingerprint():
    """Changes when what must be installed changes, or the project was moved."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in ("pyproject.toml", "setup.py", "addon_manifest.toml"):
        digest.update((ROOT / name).read_bytes())
    digest.update(TORCH.encode())
    return digest.hexdigest()
