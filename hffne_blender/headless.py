# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension without a window: one photo in, a .blend, its textures and a preview out.

    python -m hffne_blender.headless PHOTO --output DIR --engine PYTHON      (a Python with bpy)
    blender --background --python headless.py -- PHOTO --output DIR --engine PYTHON

Calls the same operator as the panel. Exit codes: 0 done, 2 bad input, 3 no face on the
photo, 4 the output cannot be written, 1 anything else.
"""

import argparse
import contextlib
import importlib.util
import os
import sys
from pathlib import Path

import bpy

if not __package__:
    # Run as a script by Blender: make the package known under its own name.
    _folder = Path(__file__).resolve().parent
    _spec = importlib.util.spec_from_file_location(
        "hffne_blender", _folder / "__init__.py", submodule_search_locations=[str(_folder)]
    )
    _package = importlib.util.module_from_spec(_spec)
    sys.modules["hffne_blender"] = _package
    _spec.loader.exec_module(_package)
    __package__ = "hffne_blender"

import hffne_blender

from .commands import preview
from .engine import session
from .scene import camera, images, textures
from .settings import DEFAULT_MAPS, GRIDS, MAPS
from .system import verify_file
from .system.scratch import Scratch
from .system.silence_stdout import quiet

EXIT_CODES = {
    "no_face": 3,
    "cannot_write": 4,
    "no_photo": 2,
    "photo_not_found": 2,
    "bad_photo": 2,
    "photo_too_small": 2,
    "photo_too_large": 2,
    "bad_request": 2,
    "no_device": 2,
}
# Parts of the whole that the bar gives to the engine, the object, and the rest.
ENGINE_SHARE = 0.7

# Where progress is printed; None is sys.stdout.
_out = None


class Failure(Exception):
    def __init__(self, code, message, hint=""):
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def build(
    photo,
    output,
    engine,
    texture_size="1024",
    grid="128",
    face=None,
    color=True,
    device="",
    samples=32,
    maps=None,
    size=0,
):
    """Build `photo` into the folder `output`; returns the paths written, the .blend first.

    All files appear together at the end, or none: they are made in a folder beside
    their place and moved. Raises Failure.
    """
    photo, output = Path(photo).absolute(), Path(output).absolute()
    stem = photo.stem
    with _work_folder(output) as work:
        obj = _generate(photo, engine, texture_size, grid, face, color, device, maps, size)
        scene = bpy.context.scene
        preview.set_up(scene, obj, samples)
        names = []
        with _writing(output):
            for kind, image in textures.of_material(obj.data.materials[0]).items():
                name = f"{stem}_texture_{kind}.png"
                images.write_packed(image, work / name)
                image.filepath_raw = f"//{name}"
                names.append(name)
            _say(0.8, "Saving the .blend")
            blend = work / f"{stem}.blend"
            bpy.ops.wm.save_as_mainfile(filepath=str(blend), compress=True, check_existing=False)
            verify_file.check(blend)
            names.insert(0, blend.name)
            if samples > 0:
                _say(0.85, "Rendering the preview")
                # The .blend is written: from here on the scene may change.
                name = f"{stem}_preview.png"
                preview.render(scene, work / name)
                verify_file.check(work / name)
                names.append(name)
            _move(work, output, names)
    _say(1.0, "Done")
    return [output / name for name in names]


def _work_folder(output):
    with _writing(output):
        output.mkdir(parents=True, exist_ok=True)
        return Scratch(output, folder=True)


@contextlib.contextmanager
def _writing(output):
    """What fails inside, in Python or in Blender, fails as a Failure."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise Failure(
            "cannot_write",
            f"The folder {output} cannot be written to ({getattr(error, 'strerror', None) or str(error).strip()}).",
            "Choose an output folder that you may write to, with enough free space.",
        ) from None


def _move(work, output, names):
    """Move files to their places, all of them, or leave there what was. Raises OSError."""
    kept, moved = [], []
    try:
        for name in names:
            if (output / name).is_dir():
                raise OSError(f"'{name}' is a folder")
            if os.path.lexists(output / name):
                os.replace(output / name, work / f"{name}.old")
                kept.append(name)
            os.replace(work / name, output / name)
            moved.append(name)
    except OSError:
        for name in moved:
            os.remove(output / name)
        for name in kept:
            os.replace(work / f"{name}.old", output / name)
        raise


def _generate(photo, engine, texture_size, grid, face, color, device, maps, size):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    hffne_blender.register()
    session.state.progress_listeners.append(_say_task)
    try:
        _say(0.0, "Starting the engine")
        state = bpy.ops.hffne.generate(
            "EXEC_DEFAULT",
            photo=str(photo),
            texture_pixels=int(texture_size),
            grid=str(grid),
            face=0 if face is None else face + 1,
            color=color,
            maps=DEFAULT_MAPS if maps is None else set(maps),
            engine_python=engine or "",
            device=device or "",
            crop_size=size or 0,
        )
    except RuntimeError as error:
        # Blender raises what the operator reports; the session knows the whole of it.
        known = session.state.last_error or {"code": "error", "message": str(error).strip(), "hint": ""}
        _log_tail(known)
        raise Failure(known["code"], known["message"], known["hint"]) from None
    finally:
        session.state.progress_listeners.remove(_say_task)
        # Also stops the engine.
        hffne_blender.unregister()
    if state != {"FINISHED"}:
        raise Failure("cancelled", "The face was not built.")
    _say(ENGINE_SHARE + 0.05, "The face is built")
    return next(obj for obj in bpy.context.scene.objects if camera.PROPERTY in obj)


def _log_tail(error):
    if error["code"] in ("engine_died", "engine_garbled", "engine_not_installed", "internal"):
        lines = session.log().splitlines()[-15:]
        if lines:
            print("The engine's last words:", *lines, sep="\n  ", file=sys.stderr)


def _say_task(task):
    _say(task.progress * ENGINE_SHARE, task.message)


def _say(fraction, message):
    print(f"[{fraction * 100:3.0f} %] {message}", file=_out, flush=True)


def main(arguments=None):
    global _out
    options = _parse(_own_arguments() if arguments is None else arguments)
    try:
        # Blender prints much, and each error of an operator once more.
        with quiet() as _out:
            paths = build(
                options.photo,
                options.output,
                options.engine,
                options.texture_size,
                options.grid,
                options.face,
                options.color,
                options.device,
                options.samples,
                options.maps,
                options.size,
            )
    except Failure as failure:
        print(f"Error: {failure.message}", file=sys.stderr)
        if failure.hint:
            print(f"Hint: {failure.hint}", file=sys.stderr)
        return EXIT_CODES.get(failure.code, 1)
    finally:
        _out = None
    for path in paths:
        print(path)
    return 0


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="hffne_blender.headless", description="Build a face from a photo without a window."
    )
    parser.add_argument("photo", help="the photo")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write to")
    parser.add_argument("--engine", default="", metavar="PYTHON", help="the Python with the engine 'hffne'")
    parser.add_argument("--texture-size", type=_size, default=1024, metavar="PIXELS", help="64 to 4096 (default 1024)")
    parser.add_argument("--grid", default="128", choices=[grid[0] for grid in GRIDS])
    parser.add_argument("--face", type=int, metavar="N", help="which face, from 0 (default: the largest)")
    parser.add_argument("--no-color", dest="color", action="store_false", help="without the color texture")
    parser.add_argument(
        "--maps", type=_maps, metavar="NAMES", help=f"of {', '.join(item[0].lower() for item in MAPS)}, all or none"
    )
    parser.add_argument("--device", default="", metavar="NAME", help="cuda, xpu, mps or cpu")
    parser.add_argument("--size", type=int, default=0, metavar="PIXELS", help="side of the fine network's crop")
    parser.add_argument(
        "--samples", type=int, default=32, metavar="N", help="of the preview (default 32; 0: no preview)"
    )
    return parser.parse_args(arguments)


def _size(text):
    size = int(text)
    if not 64 <= size <= 4096:
        raise argparse.ArgumentTypeError("a texture has 64 to 4096 pixels")
    return size


def _maps(text):
    """Names of maps, separated by commas -> the operator's set."""
    known = {item[0] for item in MAPS}
    if text in ("all", "none"):
        return known if text == "all" else set()
    names = {name.strip().upper() for name in text.split(",")}
    if not names <= known:
        raise argparse.ArgumentTypeError(f"there is no map {', '.join(sorted(names - known)).lower()}")
    return names


def _own_arguments():
    """What belongs to us on the command line: in Blender, all after "--"."""
    if bpy.app.binary_path and "--" in sys.argv:
        return sys.argv[sys.argv.index("--") + 1 :]
    return sys.argv[1:]


if __name__ == "__main__":
    sys.exit(main())
