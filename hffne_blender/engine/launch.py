# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's command line and the environment in which it starts."""

import os
from pathlib import Path

# Lets a studio or a script choose the engine without touching the preferences.
PYTHON_VARIABLE = "HFFNE_ENGINE_PYTHON"
# The same for a folder of networks that the user trained (`hffne build --weights`).
WEIGHTS_VARIABLE = "HFFNE_TRAINED_WEIGHTS"
COARSE_VARIABLE = "HFFNE_COARSE_FILE"


def find_python(explicit: str = "", preferred: str = "") -> str:
    """The engine's Python as a path, or "" when none is set.

    First the caller's own choice, then the preferences, then the variable HFFNE_ENGINE_PYTHON. A folder stands for the
    virtual environment in it. See `refusal` for one that must not be started.
    """
    for candidate in (explicit, preferred, os.environ.get(PYTHON_VARIABLE, "")):
        if candidate:
            if refusal(candidate):
                return candidate
            found = _python_of(Path(os.path.expanduser(candidate)))
            # A bare name is looked up in PATH.
            return str(found) if found.parent == Path() else os.path.abspath(found)
    return ""


def refusal(python: str) -> str:
    """Why a Python must not be started, or "": a .blend must not choose by "//", beside itself, what is run."""
    if python.startswith("//"):
        return f"The engine's Python cannot be beside a .blend ({python}): choose it by its whole path."
    return ""


def command(python: str, device: str = "", model: str = "", weights: str = "", coarse: str = "") -> list[str]:
    """The command line of the engine; what is "" is left to the engine.

    weights: a folder of trained networks. coarse: an ONNX file that takes the coarse network's place.
    """
    line = [python, "-m", "hffne", "serve"]
    if device:
        line += ["--device", device]
    if model:
        line += ["--model", model]
    if weights:
        line += ["--weights", os.path.abspath(weights)]
    if coarse:
        line += ["--coarse", os.path.abspath(coarse)]
    return line


def import_command(python: str, exemplar: str, refiner: str) -> list[str]:
    """The command line that imports the published checkpoints."""
    return [python, "-m", "hffne", "weights", "import", "--exemplar", exemplar, "--refiner", refiner]


def environment(inside_application: bool = False) -> dict[str, str]:
    """The environment of the engine: this process's, without what would mislead the engine's Python.

    PYTHONHOME is meant for the Python that it was set for. In the Blender application PYTHONPATH is removed as well:
    studios set it for their own tools.
    """
    environ = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT"):
        environ.pop(name, None)
    if inside_application:
        environ.pop("PYTHONPATH", None)
    elif environ.get("PYTHONPATH"):
        # The engine runs in another working folder.
        environ["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, environ["PYTHONPATH"].split(os.pathsep)))
    if environ.get("HFFNE_WEIGHTS"):
        environ["HFFNE_WEIGHTS"] = os.path.abspath(environ["HFFNE_WEIGHTS"])
    # The working folder must not shadow the engine's modules (Python 3.11 and later).
    environ["PYTHONSAFEPATH"] = "1"
    environ["PYTHONUTF8"] = "1"
    # The engine ends when this process does, even if this process crashes.
    environ["HFFNE_CLIENT_PID"] = str(os.getpid())
    return environ


def neutral_folder() -> str:
    """A working folder for the engine in which nobody puts modules: the root of the file system."""
    return os.path.abspath(os.sep)


def _python_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    for inside in ("bin/python", "Scripts/python.exe", "python.exe"):
        if (path / inside).exists():
            return path / inside
    return path
