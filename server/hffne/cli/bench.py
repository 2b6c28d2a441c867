# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne bench`: milliseconds and memory, stage by stage, on this machine."""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from hffne.cli.options import add_engine_options, engine_arguments
from hffne.errors import HffneError

STAGES = ("load", "detect", "prn", "coarse", "fine", "merge", "unwrap", "mesh")
# What `hffne normals` computes; unwrapping and the mesh are for Blender.
NORMALS = STAGES[:6]


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "bench",
        help="measure the time of each stage and the memory",
        description="Time each stage of one photo, warm: median and spread of several runs; the time from an engine's "
        "start to its first answer; the peak memory of this process.",
    )
    parser.add_argument("photo", nargs="?", type=Path, metavar="PHOTO",
                        help="default: the astronaut photo of scikit-image, 512 x 512")
    parser.add_argument("--runs", type=int, default=10, metavar="N", help="timed runs (default: %(default)s)")
    parser.add_argument("--texture-size", type=int, default=1024, metavar="PIXELS", help="default: %(default)s")
    parser.add_argument("--against", choices=["paper"], help="also time the published widths in the same run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--no-start", action="store_true", help="do not start an engine to time its start")
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args):
    from hffne import __version__
    from hffne.output import output_folder, write_files

    path = args.photo or _astronaut()
    runs = max(1, args.runs)
    engine, load_seconds = _engine(args)
    times = [_one_run(engine, path, args.texture_size) for _ in range(runs + 1)][1:]  # the first one warms up
    # Before another process is started, and before anything that is not the engine's.
    memory = peak_memory()
    start = None if args.no_start else _start_of_an_engine(args)
    photo_size = times[0].pop("photo_size")
    for each in times[1:]:
        each.pop("photo_size")
    rows = {name: _spread([t[name] for t in times]) for name in STAGES}
    rows["normals"] = _spread([sum(t[name] for name in NORMALS) for t in times])
    rows["all"] = _spread([sum(t.values()) for t in times])
    data = {
        "version": __version__, "model": engine.model, "device": engine.device_name, "system": platform.platform(),
        "cores": os.cpu_count(), "photo_size": photo_size, "crop": engine.size, "texture_size": args.texture_size,
        "runs": runs, "milliseconds": rows, "models_loaded_seconds": load_seconds, "engine_ready_seconds": start,
        "peak_memory_mb": memory,
    }
    print(_markdown(data))
    if args.against == "paper":
        data["against"] = _against_paper(engine, runs)
        print(_comparison(data["against"]))
    if args.json:
        text = json.dumps(data, indent=1).encode()
        with output_folder(args.json.parent):
            write_files({args.json: lambda file: file.write(text)})
    return 0


def _against_paper(engine, runs):
    """Milliseconds of one 256 x 256 face, grey crop to fine normal, by turns with both networks: medians and ratio.

    The published widths have random weights here; their time does not depend on them. Each network runs as the
    product runs it: the compact coarse one looks twice, at the face and at its mirror image.
    """
    import numpy as np

    from hffne.models import untrained_paper_models

    paper = untrained_paper_models(engine.networks.device)
    grey = np.random.default_rng(0).random((256, 256), np.float32)
    times = {"compact": [], "paper": []}
    for _ in range(runs + 1):
        for name, coarse, fine in (("compact", engine.coarse_normal, engine.networks.fine),
                                   ("paper", paper.coarse, paper.fine)):
            started = time.perf_counter()
            fine(grey, coarse(grey))
            times[name].append((time.perf_counter() - started) * 1000)
    rows = {name: _spread(values[1:]) for name, values in times.items()}  # the first ones warm up
    return rows | {"times_faster": rows["paper"]["median"] / rows["compact"]["median"]}


def _comparison(against):
    lines = ["", "| coarse and fine network, one 256 x 256 face | median ms | from - to |", "|---|---|---|"]
    for name in ("compact", "paper"):
        t = against[name]
        lines.append(f"| {name} | {t['median']:.0f} | {t['low']:.0f} - {t['high']:.0f} |")
    return "\n".join([*lines, f"| **compact is faster by** | **{against['times_faster']:.1f} x** | |"])


def peak_memory():
    """The largest resident size of this process so far in MB, or None where the system does not tell."""
    try:
        # Not getrusage: on Linux it starts from the size of the process that started this one.
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    if sys.platform == "win32":
        return _windows_peak()
    try:
        import resource

        unit = 1024**2 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    except ImportError:
        return None


def _windows_peak():
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
            (name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "pagefile", "peak_pagefile")]

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    kernel = ctypes.WinDLL("kernel32")
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    query = kernel.K32GetProcessMemoryInfo
    query.argtypes = [wintypes.HANDLE, ctypes.POINTER(Counters), wintypes.DWORD]
    return counters.peak / 1024**2 if query(kernel.GetCurrentProcess(), counters, counters.cb) else None


def _engine(args):
    started = time.perf_counter()
    from hffne.pipeline import Engine

    engine = Engine(**engine_arguments(args))
    return engine, time.perf_counter() - started


def _one_run(engine, path, texture_size):
    """Milliseconds of each stage of one photo."""
    from hffne.photo.detect import choose_faces, find_faces
    from hffne.photo.load import load_photo

    marks = []

    def mark(stage, fraction=0.0, message=""):
        marks.append((stage, time.perf_counter()))

    mark("load")
    photo = load_photo(path)
    mark("detect")
    face = choose_faces(find_faces(photo), "largest", path)[0][1]
    estimate = engine.normals(photo, face, mark)
    estimate.on_photo(photo.rgb.shape)
    engine.asset(photo, estimate, texture_size=texture_size, report=mark)
    mark("end")
    times = {name: (after - at) * 1000 for (name, at), (_, after) in zip(marks, marks[1:])}
    return {**{name: times.get(name, 0.0) for name in STAGES}, "photo_size": list(photo.size)}


def _start_of_an_engine(args):
    """Seconds from the start of `hffne serve` to its answer to hello."""
    from hffne.service import frames

    command = [sys.executable, "-m", "hffne", "serve", "--model", args.model]
    if args.device:
        command += ["--device", args.device]
    environment = dict(os.environ)
    # The engine that we are, wherever it was imported from.
    package = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join([package, environment.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               env=environment)
    try:
        frames.write_frame(process.stdin, {"type": "hello", "id": 0})
        answer = frames.read_frame(process.stdout)
        seconds = time.perf_counter() - started
        if answer is None or answer[0].get("type") != "result":
            raise HffneError("The engine did not start.", hint="Run `hffne serve` by hand to see why.")
        frames.write_frame(process.stdin, {"type": "shutdown", "id": 1})
        process.stdin.close()
        process.wait(30)
        return seconds
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _astronaut():
    try:
        import skimage
    except ImportError:
        raise HffneError("No photo was given.", hint="Name a photo, or install scikit-image for its own.") from None
    return Path(skimage.__file__).parent / "data" / "astronaut.png"


def _spread(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return {"median": median, "low": ordered[0], "high": ordered[-1]}


def _markdown(data):
    width, height = data["photo_size"]
    lines = [
        f"hffne {data['version']}, model {data['model']}, {data['device']}, {data['cores']} cores; photo "
        f"{width} x {height}, crop {data['crop']}, textures {data['texture_size']}; {data['runs']} warm runs", "",
        "| stage | median ms | from - to |", "|---|---|---|",
    ]
    for name, t in data["milliseconds"].items():
        title = {"normals": "**normals (load to merge)**", "all": "**all**"}.get(name, name)
        lines.append(f"| {title} | {t['median']:.0f} | {t['low']:.0f} - {t['high']:.0f} |")
    lines += ["", "| | |", "|---|---|", f"| models loaded, with torch | {data['models_loaded_seconds']:.1f} s |"]
    if data["engine_ready_seconds"] is not None:
        lines.append(f"| engine ready after its start | {data['engine_ready_seconds']:.1f} s |")
    memory = data["peak_memory_mb"]
    lines.append(f"| peak memory of this process | {'not known' if memory is None else f'{memory:.0f} MB'} |")
    return "\n".join(lines)
