# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts Blender on the extension's headless script, which starts the engine again: a photo in, a .blend out.

Blender does not run in this process: what ends it does not end this one.
"""

import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hffne import child
from hffne.errors import BlenderMissingError, ExtensionMissingError
from hffne.isolation import child_environment, neutral_folder, python_command
from hffne.output import output_folder
from hffne.scratch import Scratch

HEADLESS = "hffne_blender.headless"


def check_photo(photo: Path, face: str | int) -> int:
    """The number of the face to build, 0 of them for "largest"; errors that need no Blender are told before it starts.

    Raises what `load_photo` and `choose_faces` raise.
    """
    from hffne.photo.detect import choose_faces, find_faces
    from hffne.photo.load import load_photo

    loaded = load_photo(photo)
    ((number, _),) = choose_faces(find_faces(loaded), face, photo)
    return number


def build(
    photo: Path, folder: Path, options: Mapping[str, Any], log: int | None = None, error: Path | None = None
) -> int:
    """Build the face of a photo into a folder; the exit code is Blender's, see `hffne_blender.headless`.

    options  those of the script by their names, and "blender", "weights" and "coarse", see `command_line`
    log      the descriptor of a file for what it prints, instead of this process's own streams
    error    a file in which an error is told as JSON

    Raises BlenderMissingError, OutputError, what is wrong with the networks; and what `child.run` raises.
    """
    command, environment = command_line(options)
    command += [str(photo.absolute()), "--output", str(folder.absolute()), "--engine", sys.executable]
    command += _arguments(options)
    if error is not None:
        command += ["--error", str(error)]
    with output_folder(folder), Scratch(tempfile.gettempdir(), folder=True) as temporary:
        # What Blender keeps there goes with it, also when it is killed.
        environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
        before = _written(folder)
        try:
            code = child.run(command, environment, neutral_folder(), log)
            if code == 0 and _written(folder) == before:
                raise BlenderMissingError(
                    f"'{command[0]}' ended without a face.", hint="Check the path after --blender."
                )
            return code
        except KeyboardInterrupt:
            # A Blender that was killed could not remove its files: whoever comes next does.
            with contextlib.suppress(OSError), Scratch(folder):
                pass
            raise


def check_blender(options: Mapping[str, Any]) -> None:
    """Start the script once without a photo, with the options of `build`. Raises BlenderMissingError and others."""
    command, environment = command_line(options)
    with tempfile.TemporaryFile() as log:
        # The options are read before its help is shown.
        code = child.run([*command, *_arguments(options), "--help"], environment, neutral_folder(), log.fileno())
        log.seek(0)
        lines = log.read().decode(errors="replace").split("\n")
    if code or not any(HEADLESS in line for line in lines):
        last = next((line.strip() for line in reversed(lines) if line.strip()), f"it ended with exit code {code}")
        raise BlenderMissingError(
            f"'{command[0]}' cannot build faces: {last}",
            hint="Check the installation of bpy, or name a Blender program.",
        )


def command_line(options: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    """The start of the command line that runs the script, and its environment.

    options: "blender", a Blender program or a Python that has bpy; "weights", a folder of trained networks; "coarse",
    an ONNX file. Raises BlenderMissingError, ExtensionMissingError, and what is wrong with the networks.
    """
    command, environment = _program(options.get("blender"))
    if options.get("weights"):
        from hffne.weights.trained import find_trained

        weights = Path(options["weights"])
        find_trained(weights)
        environment["HFFNE_TRAINED_WEIGHTS"] = str(weights.absolute())
    if options.get("coarse"):
        from hffne.onnx_exemplar import OnnxExemplar

        coarse = Path(options["coarse"])
        OnnxExemplar(coarse)
        environment["HFFNE_COARSE_FILE"] = str(coarse.absolute())
    return command, environment


def _arguments(options: Mapping[str, Any]) -> list[str]:
    """The options of the script as arguments; a list is an option for each of its values."""
    found = []
    for name, value in options.items():
        if name not in ("blender", "weights", "coarse") and value not in (None, "largest"):
            for one in value if isinstance(value, list | tuple) else [value]:
                found += [f"--{name.replace('_', '-')}", str(one)]
    return found


def _written(folder: Path) -> set[tuple[str, int]]:
    """(name, time of writing) of each .blend in a folder."""
    return {(path.name, path.stat().st_mtime_ns) for path in folder.glob("*.blend")}


def _program(wanted: str | None) -> tuple[list[str], dict[str, str]]:
    """The start of the command line that runs the headless script, and its environment."""
    extension = _extension_folder()
    environment = child_environment()
    # The script and the engine that it starts must find the packages that we run from.
    places = list(dict.fromkeys([str(extension.parent), str(Path(__file__).resolve().parents[1])]))
    named = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([*places, *([named] if named else [])])
    if not wanted and importlib.util.find_spec("bpy"):
        return python_command(sys.executable, HEADLESS, [place for place in sys.path if place]), environment
    program = wanted or shutil.which("blender")
    if not program:
        raise BlenderMissingError(
            "There is no Blender to build with.",
            hint="Install it into this Python (python -m pip install bpy, Python 3.11), "
            "or name a Blender program with --blender.",
        )
    found = shutil.which(program)
    if not found:
        raise BlenderMissingError(f"'{program}' is not an executable.", hint="Check the path after --blender.")
    if Path(found).name.lower().startswith("python"):
        return python_command(found, HEADLESS, places), environment
    script = str(extension / "headless.py")
    return [
        found,
        "--background",
        "--factory-startup",
        "--python-exit-code",
        "1",
        "--python",
        script,
        "--",
    ], environment


def _extension_folder() -> Path:
    """Where the package hffne_blender is."""
    spec = importlib.util.find_spec("hffne_blender")
    if spec and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    # Run from the sources without an install.
    folder = Path(__file__).resolve().parents[2] / "hffne_blender"
    if (folder / "headless.py").is_file():
        return folder
    raise ExtensionMissingError("The Blender extension 'hffne_blender' is missing.", hint="Install the package again.")
