# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures how long Blender's main thread is blocked while a face is made, and the conversion of its normals.

    python -m hffne_blender.commands.profile_main_thread PHOTO --engine PYTHON [--sizes 1024 2048 4096] [--bake]

Does what the operator does at each tick of its timer, and times each tick. On a busy machine the wall clock
includes what other processes use; the thread's own processor time does not, so both are printed.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any

import bpy
import numpy as np

from .. import settings
from ..bake import blender
from ..engine import launch, protocol, session
from ..numeric import raster, tangent
from ..numeric.received_face import ReceivedFace
from ..operators.bases.background import TICK
from ..scene import face, head, mesh, mesh_arrays, shape_keys
from ..scene.access import first_material, tree_of
from ..system import jobs
from ..system.required import required
from ..system.silence_stdout import silence_stdout
from . import roundtrip

Figures = dict[str, Any]


class Ticks:
    """The longest of many ticks in milliseconds: on the wall clock, and of this thread's own processor time."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def time(self, function: Callable[[], object]) -> None:
        """Call a function as one tick."""
        wall, cpu = time.perf_counter(), time.thread_time()
        function()
        self.cpu = max(self.cpu, (time.thread_time() - cpu) * 1000)
        self.wall = max(self.wall, (time.perf_counter() - wall) * 1000)

    def as_dict(self) -> dict[str, float]:
        """The two maxima."""
        return {"longest_ms": self.wall, "longest_cpu_ms": self.cpu}


def one_face(
    python: str, photo: str, size: int, maps: Sequence[str], base: str
) -> tuple[Figures, bpy.types.Object, ReceivedFace]:
    """(figures, object, received face) of one face made as the operator makes it.

    python  the Python with the engine
    size    texels per side of the textures
    maps    the optional maps to make
    base    "head" or "mask"
    """
    started = time.perf_counter()
    waiting, building = Ticks(), Ticks()
    request = {
        "type": "generate",
        "photo": photo,
        "face": "largest",
        "texture_size": size,
        "base": base,
        "grid": 128,
        "color": True,
        "maps": list(maps),
    }
    task = session.start(python, "", None, False, request)
    while not task.over:
        time.sleep(TICK)
        waiting.time(session.poll)
    if task.status != "done":
        error = required(task.error)
        raise SystemExit(f"Error: {error['message']} {error['hint']}")
    answered = time.perf_counter()
    message, arrays = required(task.result)
    collection = required(bpy.context.scene).collection

    def generator() -> Generator[Callable[[], Any], Any, tuple[ReceivedFace, bpy.types.Object]]:
        received = yield partial(ReceivedFace.from_answer, message, arrays)
        obj = yield from face.build_steps(received, lambda: collection)
        return received, obj

    work = jobs.Steps(generator())
    while not work.over:
        building.time(work.advance)
        time.sleep(TICK)
    received, obj = work.result
    built = time.perf_counter()
    update = Ticks()
    update.time(required(bpy.context.view_layer).update)
    undo = Ticks()
    undo.time(bpy.ops.ed.undo_push)
    figures = {
        "engine_s": answered - started,
        "building_s": built - answered,
        "all_s": built - started,
        "waiting": waiting.as_dict(),
        "building": building.as_dict(),
        "update": update.as_dict(),
        "undo": undo.as_dict(),
    }
    return figures, obj, received


def conversion(obj: bpy.types.Object, received: ReceivedFace, runs: int, bake: bool) -> Figures:
    """Seconds of the conversion to tangent space; with `bake` also of Blender's bake, and how far they differ."""
    size = len(received.normal)
    with shape_keys.shown_mesh(obj) as shown:
        frames = mesh_arrays.corner_frames(shown, mesh.UV_NAME, head.skin_slot(obj))
    times, cpu = [], time.process_time()
    for _ in range(runs):
        started = time.perf_counter()
        converted = tangent.to_tangent_space(frames, received.normal)
        times.append(time.perf_counter() - started)
    figures = {"median_s": float(np.median(times)), "cpu_s": (time.process_time() - cpu) / runs}
    if bake:
        # With the sliders at their defaults the material is the plain map, baked over the face itself.
        started, cpu = time.perf_counter(), time.process_time()
        baked = blender.bake(bpy.context, obj, obj, size, 0.0, 0.0, tangent.MARGIN, False)
        figures["bake_s"], figures["bake_cpu_s"] = time.perf_counter() - started, time.process_time() - cpu
        inside = (raster.owners(frames.uv, size) >= 0).reshape(size, size)
        error = roundtrip.angles(converted[inside], baked[inside])
        figures["mean_degrees"], figures["p99_degrees"] = float(error.mean()), float(np.percentile(error, 99))
        figures["times_faster"] = figures["bake_cpu_s"] / figures["cpu_s"]
    return figures


def first_use(obj: bpy.types.Object) -> float:
    """Milliseconds of this thread in which Blender decodes the textures when it first shows them."""
    cpu = time.thread_time()
    for node in tree_of(first_material(obj)).nodes:
        if isinstance(node, bpy.types.ShaderNodeTexImage) and node.image is not None:
            node.image.update()
            tuple(node.image.size)
    return (time.thread_time() - cpu) * 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    options = _parse(arguments)
    python = launch.find_python(options.engine)
    maps = [] if options.plain else sorted(name.lower() for name in settings.DEFAULT_MAPS)
    result = {}
    with silence_stdout() as out:
        try:
            bpy.ops.wm.read_factory_settings(use_empty=True)
            # The engine's start and the first face, with cold caches, do not count.
            one_face(python, options.photo, 256, maps, options.base)
            for size in options.sizes:
                runs = [one_face(python, options.photo, size, maps, options.base) for _ in range(options.runs)]
                _, obj, received = runs[-1]
                figures: Figures = {"runs": [run[0] for run in runs], "first_use_cpu_ms": first_use(obj)}
                figures["conversion"] = conversion(obj, received, options.runs, options.bake)
                result[size] = figures
                print(_row(size, figures), file=out, flush=True)
        finally:
            session.close()
        print(json.dumps(result) if options.json else "", file=out, flush=True)
    return 0


def _row(size: int, figures: Figures) -> str:
    runs = figures["runs"]

    def worst(stage: str, key: str) -> float:
        return max(run[stage][key] for run in runs)

    stages = ("waiting", "building", "update", "undo")
    longest = {stage: (worst(stage, "longest_ms"), worst(stage, "longest_cpu_ms")) for stage in stages}
    text = f"{size} px: {np.median([run['all_s'] for run in runs]):.2f} s; longest block, wall (processor): "
    text += ", ".join(f"{stage} {wall:.0f} ({cpu:.0f}) ms" for stage, (wall, cpu) in longest.items())
    converted = figures["conversion"]
    text += f"; conversion {converted['median_s']:.2f} s, processor {converted['cpu_s']:.2f} s"
    if "bake_s" in converted:
        text += f", Blender's bake {converted['bake_s']:.1f} s, processor {converted['bake_cpu_s']:.1f} s,"
        text += f" {converted['mean_degrees']:.3f} degrees apart"
    return text + f"; decoding at first use {figures['first_use_cpu_ms']:.0f} ms"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="hffne_blender.commands.profile_main_thread", description=__doc__.splitlines()[0]
    )
    parser.add_argument("photo")
    parser.add_argument("--engine", default="", metavar="PYTHON", help="the Python with the engine 'hffne'")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048, 4096], metavar="PIXELS")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    parser.add_argument("--base", choices=protocol.BASES, default="head", help="what is built (default: %(default)s)")
    parser.add_argument("--plain", action="store_true", help="normal map and colors only, without the optional maps")
    parser.add_argument("--bake", action="store_true", help="compare the conversion with Blender's own bake")
    parser.add_argument("--json", action="store_true", help="print the figures as one line of JSON at the end")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
