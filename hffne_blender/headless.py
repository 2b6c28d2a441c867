# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension without a window: makes a .blend, its textures and a preview from one photo.

    python -m hffne_blender.headless PHOTO --output DIR --engine PYTHON      (a Python with bpy)
    blender --background --python headless.py -- PHOTO --output DIR --engine PYTHON

Calls the same operator as the panel. Exit codes as of `hffne`, see system.exit_codes: 0 done, 1 an error, 2 a photo
that cannot be read or wrong options, 3 no face on the photo, 4 the output cannot be written, 70 a mistake of the
program, 130 interrupted from the keyboard.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import bpy

if not __package__:
    # Run as a script by Blender: import the package under its own name.
    _folder = Path(__file__).resolve().parent
    _spec = importlib.util.spec_from_file_location(
        "hffne_blender", _folder / "__init__.py", submodule_search_locations=[str(_folder)]
    )
    assert _spec is not None and _spec.loader is not None
    _package = importlib.util.module_from_spec(_spec)
    sys.modules["hffne_blender"] = _package
    _spec.loader.exec_module(_package)
    __package__ = "hffne_blender"

import hffne_blender

from .commands import preview
from .commands.leave import leave
from .engine import protocol, session
from .engine.client import Task
from .scene import camera, images, textures
from .scene.access import first_material
from .settings import BASES, DEFAULT_BASE, DEFAULT_MAPS, GRIDS, LODS, MAPS
from .system import exit_codes, parent_watch, verify_file
from .system.errors import ExtensionError
from .system.file_set import FileSet
from .system.required import required
from .system.silence_stdout import silence_stdout

# More samples of the preview than this would never end.
MOST_SAMPLES = 65536
# The share of the engine in the whole progress.
ENGINE_SHARE = 0.7

# What is being written, to be removed by a signal.
_files: FileSet | None = None
# Where progress is printed; None is sys.stdout.
_out: TextIO | None = None


class Failure(ExtensionError):
    """The face cannot be built."""


@dataclass(frozen=True)
class Options:
    """How a face is built.

    engine        the Python with the engine, or "" for the one that the extension finds
    texture_size  pixels per side of the textures
    base          "head" or "mask"
    lod           density of a head's mesh, one of `settings.LODS` in lower case
    grid          divisions of a mask's mesh, one of `settings.GRIDS`
    face          which face of the photo, from 0; None: the largest
    color         make the color texture
    device        where the engine computes, or "" for its own choice
    samples       of the preview per pixel; 0: no preview
    maps          identifiers of `settings.MAPS`; None: the default ones
    size          side of the fine network's crop in pixels; 0: its own
    keep          what covers the face and stays, of protocol.COVERS
    """

    engine: str = ""
    texture_size: int = 1024
    base: str = DEFAULT_BASE.lower()
    lod: str = "full"
    grid: str = "128"
    face: int | None = None
    color: bool = True
    device: str = ""
    samples: int = 32
    maps: Collection[str] | None = None
    size: int = 0
    keep: Collection[str] = ()


def build(photo: str | Path, output: str | Path, options: Options) -> list[Path]:
    """Build `photo` into the folder `output`; returns the paths written, the .blend first.

    All files appear together at the end, or none: they are made in a folder beside
    their place and moved. Raises Failure.
    """
    photo, output = Path(photo).absolute(), Path(output).absolute()
    stem = photo.stem
    with _writing(output):
        output.mkdir(parents=True, exist_ok=True)
    global _files
    with FileSet() as files:
        _files = files
        with _writing(output):
            blend = files.add(output / f"{stem}.blend")
        obj = _generate(photo, options)
        scene = required(bpy.context.scene)
        preview.set_up(scene, obj, options.samples)
        with _writing(output):
            for kind, image in textures.of_material(first_material(obj)).items():
                name = f"{stem}_texture_{kind}.png"
                images.write_packed(image, files.add(output / name))
                image.filepath_raw = f"//{name}"
            _print_progress(0.8, "Saving the .blend")
            bpy.ops.wm.save_as_mainfile(filepath=str(blend), compress=True, check_existing=False)
            verify_file.verify_complete(blend)
            if options.samples > 0:
                _print_progress(0.85, "Rendering the preview")
                # The .blend is written: from here on the scene may change.
                preview.render(scene, files.add(output / f"{stem}_preview.png"))
            paths = files.commit(verify_file.verify_complete)
    _print_progress(1.0, "Done")
    return paths


@contextlib.contextmanager
def _writing(output: Path) -> Iterator[None]:
    """Turns errors of Python and of Blender while files are written into a Failure."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise Failure(
            "cannot_write",
            f"The folder {output} cannot be written to ({getattr(error, 'strerror', None) or str(error).strip()}).",
            "Choose an output folder that you may write to, with enough free space.",
        ) from None


def _generate(photo: Path, options: Options) -> bpy.types.Object:
    """The face object, made by the operator in an empty file. Raises Failure."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    hffne_blender.register()
    session.state.progress_listeners.append(_print_task)
    try:
        _print_progress(0.0, "Starting the engine")
        operators: Any = bpy.ops
        state = operators.hffne.generate(
            "EXEC_DEFAULT",
            photo=str(photo),
            texture_pixels=options.texture_size,
            base=options.base.upper(),
            lod=options.lod.upper(),
            grid=options.grid,
            # The operator counts from 1, with 0 for the largest.
            face=0 if options.face is None else options.face + 1,
            color=options.color,
            maps=DEFAULT_MAPS if options.maps is None else set(options.maps),
            engine_python=options.engine,
            device=options.device,
            crop_size=options.size,
            keep_hair="hair" in options.keep,
            keep_glasses="glasses" in options.keep,
        )
    except RuntimeError as error:
        # Blender raises the text that the operator reports; the session has the whole error.
        known = session.state.last_error or {"code": "error", "message": str(error).strip(), "hint": ""}
        _print_log(known)
        raise Failure.from_dict(known) from None
    finally:
        session.state.progress_listeners.remove(_print_task)
        # Also stops the engine.
        hffne_blender.unregister()
    if state != {"FINISHED"}:
        raise Failure("cancelled", "The face was not built.")
    _print_progress(ENGINE_SHARE + 0.05, "The face is built")
    return next(obj for obj in required(bpy.context.scene).objects if camera.load(obj) is not None)


def _print_log(error: Mapping[str, str]) -> None:
    """Print the end of the engine's log after an error that it explains."""
    if error["code"] in ("engine_died", "engine_garbled", "engine_not_installed", "internal"):
        lines = session.log().splitlines()[-15:]
        if lines:
            print("The end of the engine's log:", *lines, sep="\n  ", file=sys.stderr)


def _print_task(task: Task) -> None:
    _print_progress(task.progress * ENGINE_SHARE, task.message)


def _print_progress(fraction: float, message: str) -> None:
    print(f"[{fraction * 100:3.0f} %] {message}", file=_out, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    global _out
    options = _parse(_own_arguments() if arguments is None else arguments)
    _end_with_caller()
    try:
        # Blender prints much, and repeats each error of an operator.
        with silence_stdout() as _out:
            paths = build(
                options.photo,
                options.output,
                Options(
                    engine=options.engine,
                    texture_size=options.texture_size,
                    base=options.base,
                    lod=options.lod,
                    grid=options.grid,
                    face=options.face,
                    color=options.color,
                    device=options.device,
                    samples=options.samples,
                    maps=options.maps,
                    size=options.size,
                    keep=options.keep,
                ),
            )
    except Failure as failure:
        print(f"Error: {failure.message}", file=sys.stderr)
        if failure.hint:
            print(f"Hint: {failure.hint}", file=sys.stderr)
        _tell(failure, options.error)
        return failure.exit_code
    except KeyboardInterrupt:
        print("Interrupted", file=sys.stderr)
        return exit_codes.INTERRUPTED
    except Exception as error:
        traceback.print_exc()
        text = f"Internal error: {type(error).__name__}: {error}"
        print(text, file=sys.stderr)
        _tell(Failure("internal", text), options.error)
        return exit_codes.INTERNAL
    finally:
        _out = None
    for path in paths:
        print(path)
    return exit_codes.DONE


def _tell(failure: Failure, path: Path | None) -> None:
    """Write a failure for the program that started this one."""
    if path is not None:
        with contextlib.suppress(OSError):
            path.write_text(json.dumps(failure.as_dict()), encoding="utf-8")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="hffne_blender.headless", description="Build a face from a photo without a window."
    )
    parser.add_argument("photo", help="the photo")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write to")
    parser.add_argument("--engine", default="", metavar="PYTHON", help="the Python with the engine 'hffne'")
    parser.add_argument("--texture-size", type=_size, default=1024, metavar="PIXELS", help="64 to 8192 (default: 1024)")
    parser.add_argument("--base", default=DEFAULT_BASE.lower(), choices=[base[0].lower() for base in BASES])
    parser.add_argument("--lod", default="full", choices=[lod[0].lower() for lod in LODS], help="of a head's mesh")
    parser.add_argument("--grid", default="128", choices=[grid[0] for grid in GRIDS], help="of a mask's mesh")
    parser.add_argument("--face", type=int, metavar="N", help="which face, from 0 (default: the largest)")
    parser.add_argument("--no-color", dest="color", action="store_false", help="without the color texture")
    parser.add_argument(
        "--maps", type=_maps, metavar="NAMES", help=f"of {', '.join(item[0].lower() for item in MAPS)}, all or none"
    )
    parser.add_argument("--keep", action="append", default=[], choices=protocol.COVERS, help="what may cover the face")
    parser.add_argument("--device", default="", metavar="NAME", help="cuda, xpu, mps or cpu")
    parser.add_argument("--size", type=int, default=0, metavar="PIXELS", help="side of the fine network's crop")
    parser.add_argument(
        "--samples", type=_samples, default=32, metavar="N", help="of the preview (default: 32; 0: no preview)"
    )
    parser.add_argument("--error", type=Path, metavar="FILE", help="where an error is also told as JSON")
    return parser.parse_args(arguments)


def _end_with_caller() -> None:
    """End without leaving anything when this process is asked to, and end it when the one that started it does."""
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, _interrupt)
    parent_watch.call_when_parent_ends(_kill_all)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # An exception would not do: in the middle of a render it is Blender that gets it, prints it and goes on.
    if session.state.client is not None:
        session.state.client.kill()
    if _files is not None:
        _files.close()
    if not bpy.app.binary_path:
        shutil.rmtree(bpy.app.tempdir, ignore_errors=True)
    sys.stderr.write("Interrupted\n")
    sys.stderr.flush()
    os._exit(exit_codes.INTERRUPTED)


def _kill_all() -> None:
    """End this process and the engine at once: whoever waited for them is gone."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(exit_codes.INTERRUPTED)


def _size(text: str) -> int:
    size = int(text)
    least, most = protocol.TEXTURE_SIZES
    if not least <= size <= most:
        raise argparse.ArgumentTypeError(f"a texture has {least} to {most} pixels")
    return size


def _samples(text: str) -> int:
    samples = int(text)
    if not 0 <= samples <= MOST_SAMPLES:
        raise argparse.ArgumentTypeError(f"a preview has 0 to {MOST_SAMPLES} samples")
    return samples


def _maps(text: str) -> set[str]:
    """The identifiers of maps that a text names, separated by commas."""
    known = {item[0] for item in MAPS}
    if text in ("all", "none"):
        return known if text == "all" else set()
    names = {name.strip().upper() for name in text.split(",")}
    if not names <= known:
        raise argparse.ArgumentTypeError(f"unknown map {', '.join(map(repr, sorted(names - known))).lower()}")
    return names


def _own_arguments() -> list[str]:
    """This program's arguments: in Blender, those after "--"."""
    if bpy.app.binary_path and "--" in sys.argv:
        return sys.argv[sys.argv.index("--") + 1 :]
    return sys.argv[1:]


if __name__ == "__main__":
    leave(main())
