# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Blender's main thread stands still while a face is made, and how fast the conversion of normals is.

    python -m hffne_blender.commands.profile_main_thread PHOTO --engine PYTHON [--sizes 1024 2048 4096] [--bake]

Does what the operator does at each tick of its timer, and times each tick. On a busy machine the wall clock
counts what others use; the thread's own processor time does not, so both are told.
"""

import argparse
import json
import sys
import time
from functools import partial

import bpy
import numpy as np

from .. import settings
from ..bake import blender
from ..engine import launch, session
from ..numeric import raster, tangent
from ..numeric.asset import FaceAsset
from ..operators.ask import TICK
from ..scene import face, mesh
from ..system import jobs
from ..system.silence_stdout import quiet
from . import roundtrip


class Ticks:
    """The longest of many ticks in milliseconds: on the wall clock, and of this thread's own processor time."""

    def __init__(self):
        self.wall = self.cpu = 0.0

    def time(self, function):
        wall, cpu = time.perf_counter(), time.thread_time()
        function()
        self.cpu = max(self.cpu, (time.thread_time() - cpu) * 1000)
        self.wall = max(self.wall, (time.perf_counter() - wall) * 1000)

    def as_dict(self):
        return {"longest_ms": self.wall, "longest_cpu_ms": self.cpu}


def one_face(python, photo, size, maps):
    """(figures, object, asset) of one face made as the operator makes it."""
    started = time.perf_counter()
    waiting, building = Ticks(), Ticks()
    request = {"type": "generate", "photo": photo, "face": "largest", "texture_size": size, "grid": 128,
               "color": True, "maps": maps}  # fmt: skip
    task = session.start(python, "", None, False, request)
    while not task.over:
        time.sleep(TICK)
        waiting.time(session.poll)
    if task.status != "done":
        raise SystemExit(f"Error: {task.error['message']} {task.error['hint']}")
    answered = time.perf_counter()
    kept = []

    def generator():
        kept.append((yield partial(FaceAsset.from_answer, *task.result)))
        kept.append((yield from face.build_steps(kept[0], lambda: bpy.context.scene.collection)))

    work = jobs.Steps(generator())
    while not work.over:
        building.time(work.advance)
        time.sleep(TICK)
    built = time.perf_counter()
    update = Ticks()
    update.time(bpy.context.view_layer.update)
    undo = Ticks()
    undo.time(bpy.ops.ed.undo_push)
    figures = {
        "engine_s": answered - started, "building_s": built - answered, "all_s": built - started,
        "waiting": waiting.as_dict(), "building": building.as_dict(), "update": update.as_dict(), "undo": undo.as_dict(),
    }  # fmt: skip
    return figures, kept[1], kept[0]


def conversion(obj, asset, runs, bake):
    """Seconds of the conversion to tangent space, and of Blender's own bake of the same with how far they differ."""
    size = len(asset.normal)
    frames = tangent.corner_frames(obj.data, mesh.UV_NAME)
    times, cpu = [], time.process_time()
    for _ in range(runs):
        started = time.perf_counter()
        converted = tangent.convert(frames, asset.normal)
        times.append(time.perf_counter() - started)
    figures = {"median_s": float(np.median(times)), "cpu_s": (time.process_time() - cpu) / runs}
    if bake:
        # Without its sliders the material is the plain map, baked over the face itself.
        started, cpu = time.perf_counter(), time.process_time()
        baked = blender.bake(bpy.context, obj, obj, size, 0.0, 0.0, tangent.MARGIN, False)
        figures["bake_s"], figures["bake_cpu_s"] = time.perf_counter() - started, time.process_time() - cpu
        inside = (raster.owners(frames[0]["uv"], size) >= 0).reshape(size, size)
        error = roundtrip.angles(converted[inside], baked[inside])
        figures["mean_degrees"], figures["p99_degrees"] = float(error.mean()), float(np.percentile(error, 99))
        figures["times_faster"] = figures["bake_cpu_s"] / figures["cpu_s"]
    return figures


def first_use(obj):
    """Milliseconds of this thread in which Blender decodes the textures when it first shows them."""
    cpu = time.thread_time()
    for node in obj.data.materials[0].node_tree.nodes:
        if node.type == "TEX_IMAGE" and node.image is not None:
            node.image.update()
            tuple(node.image.size)
    return (time.thread_time() - cpu) * 1000


def main(arguments=None):
    options = _parse(arguments)
    python = launch.find_python(options.engine)
    maps = [] if options.plain else sorted(name.lower() for name in settings.DEFAULT_MAPS)
    result = {}
    with quiet() as out:
        try:
            bpy.ops.wm.read_factory_settings(use_empty=True)
            # The engine's start and the first, cold face are not counted.
            one_face(python, options.photo, 256, maps)
            for size in options.sizes:
                runs = [one_face(python, options.photo, size, maps) for _ in range(options.runs)]
                figures = {"runs": [run[0] for run in runs], "first_use_cpu_ms": first_use(runs[-1][1])}
                figures["conversion"] = conversion(*runs[-1][1:], options.runs, options.bake)
                result[size] = figures
                print(_row(size, figures), file=out, flush=True)
        finally:
            session.close()
        print(json.dumps(result) if options.json else "", file=out, flush=True)
    return 0


def _row(size, figures):
    runs = figures["runs"]

    def worst(stage, key):
        return max(run[stage][key] for run in runs)

    longest = {stage: (worst(stage, "longest_ms"), worst(stage, "longest_cpu_ms"))
               for stage in ("waiting", "building", "update", "undo")}  # fmt: skip
    text = f"{size} px: {np.median([run['all_s'] for run in runs]):.2f} s; longest stall, wall (processor): "
    text += ", ".join(f"{stage} {wall:.0f} ({cpu:.0f}) ms" for stage, (wall, cpu) in longest.items())
    made = figures["conversion"]
    text += f"; conversion {made['median_s']:.2f} s, processor {made['cpu_s']:.2f} s"
    if "bake_s" in made:
        text += f", Blender's bake {made['bake_s']:.1f} s, processor {made['bake_cpu_s']:.1f} s,"
        text += f" {made['mean_degrees']:.3f} degrees apart"
    return text + f"; decoding at first use {figures['first_use_cpu_ms']:.0f} ms"


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="hffne_blender.commands.profile_main_thread", description=__doc__.splitlines()[0]
    )
    parser.add_argument("photo")
    parser.add_argument("--engine", default="", metavar="PYTHON", help="the Python with the engine 'hffne'")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048, 4096], metavar="PIXELS")
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    parser.add_argument("--plain", action="store_true", help="normal map and colors only, without the further maps")
    parser.add_argument("--bake", action="store_true", help="compare the conversion with Blender's own bake")
    parser.add_argument("--json", action="store_true", help="print the figures as one line of JSON at the end")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
