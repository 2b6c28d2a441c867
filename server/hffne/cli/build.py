# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne build`: a photo in, a .blend with the face, its textures and a preview out.

Blender does not run in this process: the engine's Python only starts one that has
`bpy` on the extension's headless script, and that one starts the engine again.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hffne import child
from hffne.cli.options import add_size_option, face_choice, size_argument
from hffne.errors import BlenderMissingError, ExtensionMissingError, HffneError
from hffne.isolation import child_environment, neutral_folder, python_command
from hffne.scratch import Scratch
from hffne.service import protocol

if TYPE_CHECKING:
    from hffne.cli.options import Subparsers

HEADLESS = "hffne_blender.headless"


def add_parser(subparsers: Subparsers) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        "build",
        help="build a face in Blender from a photo",
        description="Write <stem>.blend (mesh, UVs, material, packed normal map), the textures as files, and "
        "<stem>_preview.png. Needs Blender: the Python module bpy, or a Blender program.",
    )
    parser.add_argument("photo", metavar="PHOTO", type=Path)
    parser.add_argument("-o", "--output", required=True, metavar="DIR", type=Path, help="folder to write to")
    parser.add_argument(
        "--blender", metavar="PROGRAM", help="a Blender program, or a Python that has bpy (default: this Python's bpy)"
    )
    parser.add_argument("--face", type=face_choice, metavar="N", help="which face, from 0 (default: the largest)")
    parser.add_argument("--texture-size", type=int, metavar="PIXELS", help="side of the textures")
    parser.add_argument(
        "--base",
        choices=protocol.BASES,
        help="a whole head with shape keys, or a mask of the face's front (default: head)",
    )
    parser.add_argument("--lod", choices=protocol.LODS, help="density of a head's mesh (default: full)")
    parser.add_argument("--grid", type=int, metavar="N", help="faces of a mask's mesh along one side of the UV square")
    parser.add_argument(
        "--maps",
        metavar="NAMES",
        help="further textures, separated by commas: albedo, bands, height, occlusion, roughness, curvature, "
        "relight, seen; or all, or none (default: all but the last three)",
    )
    parser.add_argument(
        "--keep",
        action="append",
        choices=protocol.COVERS,
        help="leave what covers the face as the photo shows it; else the skin below is completed",
    )
    add_size_option(parser)
    parser.add_argument("--samples", type=int, metavar="N", help="quality of the preview")
    parser.add_argument("--device", metavar="NAME", help="cuda, xpu, mps or cpu (default: the best one there is)")
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="networks that you trained, in a folder of `hffne train`"
    )
    parser.add_argument(
        "--coarse", type=Path, metavar="FILE.onnx", help="a network of normals that takes the coarse one's place"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Build the face in a Blender of its own; the exit code is that process's."""
    from hffne.output import output_folder
    from hffne.photo.detect import choose_faces, find_faces
    from hffne.photo.load import load_photo

    if args.face == "all":
        raise HffneError("'build' makes one face at a time.", hint="Give --face a number.")
    size = size_argument(args)
    # Errors that need no Blender are reported before Blender starts.
    photo = load_photo(args.photo)
    choose_faces(find_faces(photo), "largest" if args.face is None else args.face, args.photo)
    del photo
    command, environment = _program(args.blender)
    if args.weights:
        from hffne.weights.trained import find_trained

        find_trained(args.weights)
        environment["HFFNE_TRAINED_WEIGHTS"] = str(args.weights.absolute())
    if args.coarse:
        from hffne.onnx_exemplar import OnnxExemplar

        OnnxExemplar(args.coarse)
        environment["HFFNE_COARSE_FILE"] = str(args.coarse.absolute())
    command += [str(args.photo.absolute()), "--output", str(args.output.absolute()), "--engine", sys.executable]
    for option, value in (
        ("--texture-size", args.texture_size),
        ("--base", args.base),
        ("--lod", args.lod),
        ("--grid", args.grid),
        ("--maps", args.maps),
        ("--size", size.get("size")),
        ("--samples", args.samples),
        ("--face", args.face),
        ("--device", args.device),
    ):
        if value not in (None, "largest"):
            command += [option, str(value)]
    for name in args.keep or ():
        command += ["--keep", name]
    with output_folder(args.output), Scratch(tempfile.gettempdir(), folder=True) as temporary:
        # What Blender keeps there goes with it, also when it is killed.
        environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
        before = _written(args.output)
        try:
            code = child.run(command, environment, neutral_folder())
            if code == 0 and _written(args.output) == before:
                raise BlenderMissingError(
                    f"'{command[0]}' ended without a face.", hint="Check the path after --blender."
                )
            return code
        except KeyboardInterrupt:
            # A Blender that was killed could not remove its files: whoever comes next does.
            with contextlib.suppress(OSError), Scratch(args.output):
                pass
            raise


def _written(folder: Path) -> set[tuple[str, int]]:
    """(name, time of writing) of each .blend in a folder."""
    return {(path.name, path.stat().st_mtime_ns) for path in folder.glob("*.blend")}


def _program(wanted: str | None) -> tuple[list[str], dict[str, str]]:
    """The start of the command line that runs the headless script, and its environment."""
    extension = _extension_folder()
    environment = child_environment()
    # The script and the engine that it starts must find the packages that we run from.
    places = list(dict.fromkeys([str(extension.parent), str(Path(__file__).resolve().parents[2])]))
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
    folder = Path(__file__).resolve().parents[3] / "hffne_blender"
    if (folder / "headless.py").is_file():
        return folder
    raise ExtensionMissingError("The Blender extension 'hffne_blender' is missing.", hint="Install the package again.")
