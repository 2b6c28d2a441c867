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
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

# bpy 4.5 is made for this Python only.
PYTHON = (3, 11)
OLDEST_PYTHON = (3, 10)

TORCH = "torch==2.13.0"
# On Linux and Windows the default build of torch carries gigabytes of CUDA.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

# The exact versions of everything else, with hashes, for PYTHON: see requirements/README.md. "" is the engine alone.
LOCKS = ROOT / "requirements"
LOCKED_EXTRAS = ("", "blender", "test", "lint")
# And of the engine alone for the Pythons that Blender has, which the extension brings.
ENGINE_LOCKS = {"3.11": LOCKS / "engine.lock", "3.13": LOCKS / "engine-3.13.lock"}

_STAMP = "hffne-installed.json"
# In an environment's folder while something is installed: it stays when that is interrupted.
_BEGUN = "hffne-begun.json"
# In the folders that this program has made, which alone it empties.
_MADE = "hffne-made.json"


class SetupFailed(Exception):
    """The environment could not be made; the message says what to do."""


def say(text: str) -> None:
    """Print a line about the set-up itself, apart from the output of the programs it runs."""
    print(f"== {text}", flush=True)


def ensure_environment(extras: Iterable[str]) -> Path:
    """Make `.venv` or bring it up to date; returns the path of its Python.

    extras: names of the extras of pyproject.toml. What is already installed is
    not installed again. HFFNE_VENV names another folder for the environment.
    The versions are those of the locks; with another Python than PYTHON, or with
    HFFNE_UNLOCKED set, any that pyproject.toml allows. Raises SetupFailed.
    """
    folder = Path(os.environ.get("HFFNE_VENV") or ROOT / ".venv")
    python = python_in(folder)
    interrupted = (folder / _BEGUN).exists()
    if not _works(python) or (interrupted and _is_ours(folder)):
        _make_venv(folder)
        if not _works(python):
            raise SetupFailed(f"The environment in {folder} does not work. Delete the folder and try again.")
    stamp = folder / _STAMP
    state = read_state(stamp)
    fingerprint = _fingerprint()
    # Extras pile up: the tests and the quick start use one environment.
    wanted = sorted(set(extras) | set(state.get("extras", [])))
    if not interrupted and state.get("fingerprint") == fingerprint and state.get("extras") == wanted:
        say(f"The environment {folder} is ready.")
        return python
    _write(folder / _BEGUN, {})
    stamp.unlink(missing_ok=True)
    # What an interrupted pip has left half-written counts as installed for it.
    again = ["--force-reinstall"] if interrupted and not _is_ours(folder) else []
    try:
        locks = _install(python, wanted, again)
    except SetupFailed:
        # It has said so itself: what is installed is whole.
        (folder / _BEGUN).unlink(missing_ok=True)
        raise
    _write(stamp, {"fingerprint": fingerprint, "extras": wanted, "locked": bool(locks)})
    (folder / _BEGUN).unlink(missing_ok=True)
    return python


def _install(python: Path, wanted: list, again: list) -> list:
    """Install everything; again: options for pip. Returns the locks that were used."""
    _install_torch(python, again)
    say(f"Installing the project with {', '.join(wanted)} (some minutes the first time)")
    locks = _locks(python, wanted)
    if locks:
        files = [part for lock in locks for part in ("-r", str(lock))]
        pip(python, "install", "--require-hashes", "--no-deps", *again, *files)
        pip(python, "install", "--no-deps", "-e", str(ROOT))
    else:
        pip(python, "install", *again, "-e", f"{ROOT}[{','.join(wanted)}]")
    return locks


def lock_of(extra: str) -> Path:
    """The file with the exact versions of an extra of pyproject.toml, or of the engine alone for ""."""
    return LOCKS / f"{extra or 'engine'}.lock"


def _locks(python: Path, extras: list) -> list:
    """The locks to install from, or [] where the versions must be resolved anew."""
    if os.environ.get("HFFNE_UNLOCKED"):
        say("HFFNE_UNLOCKED is set: taking the newest versions that pyproject.toml allows.")
        return []
    if _version_of(python) != PYTHON:
        say("The locked versions are for Python {}.{}: taking others.".format(*PYTHON))
        return []
    if not set(extras) <= set(LOCKED_EXTRAS):
        return []
    return [lock_of(extra) for extra in extras or [""]]


def _version_of(python: Path) -> tuple:
    """(major, minor) of a Python, or () when it does not start."""
    command = [str(python), "-c", "import sys; print(*sys.version_info[:2])"]
    answer = subprocess.run(command, capture_output=True, text=True)
    return tuple(map(int, answer.stdout.split())) if answer.returncode == 0 else ()


def run(python: Path, *arguments: object, **options: Any) -> int:
    """Run the environment's Python with a clean module path; returns the exit code."""
    process = subprocess.Popen([str(python), *map(str, arguments)], env=clean_environ(), **options)
    try:
        return process.wait()
    except BaseException:
        # A terminal's Ctrl-C has reached it too: it clears away what it has begun.
        for stop in (process.terminate, process.kill):
            try:
                process.wait(10)
                break
            except subprocess.TimeoutExpired:
                stop()
        raise


def clean_environ(**more: str) -> dict:
    """The variables of this process, and `more`, for the Python of another environment."""
    environ = dict(os.environ, PYTHONUTF8="1", **more)
    environ.pop("PYTHONHOME", None)
    return environ


def python_in(folder: Path) -> Path:
    """The Python of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _works(python: Path) -> bool:
    if not python.exists():
        return False
    try:
        check = [str(python), "-I", "-c", "import pip"]
        return subprocess.run(check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def _is_ours(folder: Path) -> bool:
    return (folder / _MADE).is_file()


def _make_venv(folder: Path) -> None:
    maker = _find_maker()
    say(f"Making a Python environment in {folder}")
    _empty(folder)
    if subprocess.run([*maker, "-m", "venv", str(folder)]).returncode:
        _empty(folder)
        raise SetupFailed(
            "Python could not make a virtual environment. On Debian and Ubuntu install it first: "
            f"sudo apt install python{PYTHON[0]}.{PYTHON[1]}-venv"
        )


def _empty(folder: Path) -> None:
    """Make an empty folder for an environment. Raises SetupFailed for one with files that are not this program's."""
    if folder.exists() and not folder.is_dir():
        raise SetupFailed(f"{folder} is a file. Name a new folder in HFFNE_VENV.")
    if folder.is_dir() and not _is_ours(folder) and any(folder.iterdir()):
        raise SetupFailed(
            f"The folder {folder} is not empty and was not made by this program, and has no working Python with pip. "
            "Delete it, or name a new folder in HFFNE_VENV."
        )
    folder.mkdir(parents=True, exist_ok=True)
    # First of all, so that an environment that is interrupted from here on is known as ours.
    _write(folder / _MADE, {})
    for path in folder.iterdir():
        if path.name == _MADE:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _write(path: Path, facts: dict) -> None:
    """Write facts as JSON, all or nothing."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(facts), encoding="utf-8")
    os.replace(partial, path)


def _find_maker() -> list:
    """The command line of a Python 3.11, or else of this Python; raises SetupFailed when this one is too old."""
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
    say(f"Python {name} was not found: using {sys.version.split()[0]}, without Blender's Python module.")
    return [sys.executable]


def _install_torch(python: Path, again: Iterable[str] = ()) -> None:
    if not again and _installed_torch(python).split("+")[0] == TORCH.split("==")[1]:
        return
    say(f"Installing {TORCH}")
    if _default_is_cuda() and not _has_nvidia() and _reachable(TORCH_CPU_INDEX):
        try:
            pip(python, "install", *again, TORCH, "--extra-index-url", TORCH_CPU_INDEX)
            return
        except SetupFailed:
            say("The CPU build could not be installed; trying the default one")
    pip(python, "install", *again, TORCH)


def _installed_torch(python: Path) -> str:
    """The version of torch, or "" when it is not installed."""
    command = [str(python), "-c", "import importlib.metadata as m; print(m.version('torch'))"]
    answer = subprocess.run(command, capture_output=True, text=True)
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _default_is_cuda() -> bool:
    return sys.platform.startswith("linux") or os.name == "nt"


def _has_nvidia() -> bool:
    return shutil.which("nvidia-smi") is not None


def _reachable(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + "/", timeout=5) as answer:
            return answer.status == 200
    except (OSError, ValueError):
        return False


def pip(python: Path, *arguments: str) -> None:
    """Run an environment's pip, shielded from this process's settings; raises SetupFailed when it fails."""
    if arguments[:1] == ("install",):
        # What is imported is compiled then: of ten thousand files most never are.
        arguments = ("install", "--no-compile", *arguments[1:])
    # Isolated: no modules of the working folder.
    command = [str(python), "-I", "-m", "pip", "--disable-pip-version-check", *arguments]
    environment = dict(os.environ)
    # A user-wide site or another environment must not stand in for what is missing here.
    for name in ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"):
        environment.pop(name, None)
    if subprocess.run(command, env=environment).returncode:
        raise SetupFailed("pip failed; its last lines above give the reason. Check the connection and try again.")


def read_state(stamp: Path) -> dict:
    """What an installation has written about itself, or {} when there is none."""
    try:
        return json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _fingerprint() -> str:
    """A digest that changes when what must be installed changes, or the project was moved."""
    digest = hashlib.sha256(str(ROOT).encode())
    locks = [lock_of(extra) for extra in LOCKED_EXTRAS]
    for path in (ROOT / "pyproject.toml", ROOT / "setup.py", ROOT / "addon_manifest.toml", *locks):
        digest.update(path.read_bytes())
    digest.update(TORCH.encode() + os.environ.get("HFFNE_UNLOCKED", "").encode())
    return digest.hexdigest()
