# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne bench`: milliseconds and memory, stage by stage, on this machine."""

import importlib.util
import itertools
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from hffne.benchmark.memory import peak_memory
from hffne.benchmark.timing import spread
from hffne.cli.options import add_engine_options, engine_arguments
from hffne.errors import HffneError

STAGES = ("load", "detect", "prn", "coarse", "fine", "band_merge", "unwrap", "mesh")
# The tables stand between these in a page, see --update.
MARKS = "<!-- figures -->", "<!-- end of figures -->"
# What `hffne normals` computes; unwrapping and the mesh are for Blender.
NORMALS = STAGES[:6]


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "bench",
        help="measure the time of each stage and the memory",
        description="Time each stage of one photo, warm: median and spread of several runs; the time from an engine's "
        "start to its first answer; the peak memory of this process.",
    )
    parser.add_argument(
        "photo", nargs="?", type=Path, metavar="PHOTO", help="default: the astronaut photo of scikit-image, 512 x 512"
    )
    parser.add_argument("--runs", type=int, default=10, metavar="N", help="timed runs (default: %(default)s)")
    parser.add_argument("--texture-size", type=int, default=1024, metavar="PIXELS", help="default: %(default)s")
    parser.add_argument("--against", choices=["paper"], help="also time the published widths in the same run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--no-start", action="store_true", help="do not start an engine to time its start")
    parser.add_argument(
        "--stages",
        action="store_true",
        help="also each stage by itself: the fine network at 256, 512 and 1024, unwrapping at 1k, 2k, 4k",
    )
    parser.add_argument(
        "--texture-sizes",
        type=int,
        nargs="+",
        default=[1024, 2048, 4096],
        metavar="PIXELS",
        help="for --stages and --blender",
    )
    parser.add_argument(
        "--fine-sizes", type=int, nargs="+", default=[256, 512, 1024], metavar="PIXELS", help="for --stages"
    )
    parser.add_argument(
        "--blender",
        action="store_true",
        help="also photo to finished object, the longest stall, and the conversion against a bake",
    )
    parser.add_argument(
        "--session",
        type=int,
        default=0,
        metavar="N",
        help="also N photos in one engine, a photo of 24 megapixels and textures of 4096: memory and time",
    )
    parser.add_argument("--update", type=Path, metavar="FILE", help="put the tables between this page's marks")
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
    rows = {name: spread([t[name] for t in times]) for name in STAGES}
    rows["normals"] = spread([sum(t[name] for name in NORMALS) for t in times])
    rows["all"] = spread([sum(t.values()) for t in times])
    data = {
        "version": __version__,
        "model": engine.model,
        "device": engine.device_name,
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "photo_size": photo_size,
        "crop": engine.size,
        "texture_size": args.texture_size,
        "runs": runs,
        "milliseconds": rows,
        "models_loaded_seconds": load_seconds,
        "engine_ready_seconds": start,
        "peak_memory_mb": memory,
    }
    page = []

    def tell(text):
        page.append(text)
        print(text, end="\n\n", flush=True)

    tell(_markdown(data))
    if args.against == "paper":
        data["against"] = _against_paper(engine, runs)
        tell(_comparison(data["against"]).strip())
    if args.stages:
        from hffne.benchmark import stages

        data["stages"], data["stages_memory"] = stages.stage_times(
            engine, path, runs, args.fine_sizes, args.texture_sizes
        )
        tell(stages.markdown(data["stages"], data["stages_memory"]))
    if args.blender:
        data["blender"] = _in_blender(args, path)
        if data["blender"]:
            tell(blender_table(data["blender"]))
    if args.session:
        from hffne.benchmark import session

        large = session.large_inputs(path, _serve_options(args))
        long = session.long_session(path, args.session, options=_serve_options(args), said=_said)
        data["session"], data["large"] = long, large
        tell(session.markdown(long, large))
    if args.update:
        _update(args.update, "\n\n".join(page))
    if args.json:
        text = json.dumps(data, indent=1).encode()
        with output_folder(args.json.parent):
            write_files({args.json: lambda file: file.write(text)})
    return 0


def _against_paper(engine, runs):
    """Milliseconds of one 256 x 256 face, gray crop to fine normal, by turns with both networks: medians and ratio.

    The published widths have random weights here; their time does not depend on them. Each network runs as the
    product runs it: the compact coarse one looks twice, at the face and at its mirror image.
    """
    import numpy as np

    from hffne.models import untrained_paper_models

    paper = untrained_paper_models(engine.networks.device)
    gray = np.random.default_rng(0).random((256, 256), np.float32)
    times = {"compact": [], "paper": []}
    for _ in range(runs + 1):
        for name, coarse, fine in (
            ("compact", engine.coarse_normal, engine.networks.fine),
            ("paper", paper.coarse, paper.fine),
        ):
            started = time.perf_counter()
            fine(gray, coarse(gray))
            times[name].append((time.perf_counter() - started) * 1000)
    rows = {name: spread(values[1:]) for name, values in times.items()}  # the first ones warm up
    return rows | {"times_faster": rows["paper"]["median"] / rows["compact"]["median"]}


def _comparison(against):
    lines = ["", "| coarse and fine network, one 256 x 256 face | median ms | from - to |", "|---|---|---|"]
    for name in ("compact", "paper"):
        t = against[name]
        lines.append(f"| {name} | {t['median']:.0f} | {t['low']:.0f} - {t['high']:.0f} |")
    return "\n".join([*lines, f"| **compact is faster by** | **{against['times_faster']:.1f} x** | |"])


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
    engine.build(photo, estimate, texture_size=texture_size, report=mark)
    mark("end")
    times = {name: (after - at) * 1000 for (name, at), (_, after) in itertools.pairwise(marks)}
    return {**{name: times.get(name, 0.0) for name in STAGES}, "photo_size": list(photo.size)}


def _start_of_an_engine(args):
    """Seconds from the start of `hffne serve` to its answer to hello."""
    from hffne.benchmark.session import EngineProcess

    with EngineProcess(_serve_options(args)) as engine:
        return engine.seconds_to_ready


def _serve_options(args):
    return ["--model", args.model, *(["--device", args.device] if args.device else [])]


def _in_blender(args, path):
    """`hffne_blender.commands.profile_main_thread` in a process of its own, or None where bpy is not installed."""
    if not (importlib.util.find_spec("bpy") and importlib.util.find_spec("hffne_blender")):
        print("\nBlender's side is not measured: bpy is not installed.", file=sys.stderr)
        return None
    command = [
        sys.executable,
        "-m",
        "hffne_blender.commands.profile_main_thread",
        str(Path(path).absolute()),
        "--engine",
        sys.executable,
        "--bake",
        "--json",
        "--sizes",
        *map(str, args.texture_sizes),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HffneError("Blender's side could not be measured.", hint=done.stderr.strip()[-300:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def _astronaut():
    try:
        import skimage
    except ImportError:
        raise HffneError("No photo was given.", hint="Name a photo, or install scikit-image for its own.") from None
    return Path(skimage.__file__).parent / "data" / "astronaut.png"


def blender_table(sizes):
    """What `hffne_blender.commands.profile_main_thread` found, as a table."""
    lines = [
        "| textures | photo to object, warm | longest stall, wall (processor) | conversion, wall (processor) | "
        "Blender's bake, processor | faster by | apart |",
        "|---|---|---|---|---|---|---|",
    ]
    for size, figures in sizes.items():
        seconds = spread([run["all_s"] for run in figures["runs"]])["median"]
        wall, cpu = (
            max(run[stage][key] for run in figures["runs"] for stage in ("waiting", "building"))
            for key in ("longest_ms", "longest_cpu_ms")
        )
        made = figures["conversion"]
        lines.append(
            f"| {size} | {seconds:.1f} s | {wall:.0f} ({cpu:.0f}) ms | {made['median_s']:.2f} "
            f"({made['cpu_s']:.2f}) s | {made['bake_cpu_s']:.1f} s | {made['times_faster']:.0f} x | "
            f"{made['mean_degrees']:.3f} degrees |"
        )
    return "\n".join(lines)


def _said(number):
    if number % 50 == 0:
        print(f"{number} photos", file=sys.stderr, flush=True)


def _update(path, text):
    """Replace what stands between the marks of a page; the rest of it stays. Raises HffneError without marks."""
    from hffne.output import output_folder, write_files

    page = path.read_text("utf-8") if path.is_file() else f"{MARKS[0]}\n{MARKS[1]}\n"
    before, start, rest = page.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not start or not end:
        raise HffneError(
            f"{path} has no marks for the figures.", hint=f"Put {MARKS[0]} and {MARKS[1]} where they belong."
        )
    made = f"{before}{start}\n{text}\n{end}{after}".encode()
    with output_folder(path.parent):
        write_files({path: lambda file: file.write(made)})


def _markdown(data):
    width, height = data["photo_size"]
    lines = [
        f"hffne {data['version']}, model {data['model']}, {data['device']}, {data['cores']} cores; photo "
        f"{width} x {height}, crop {data['crop']}, textures {data['texture_size']}; {data['runs']} warm runs",
        "",
        "| stage | median ms | from - to |",
        "|---|---|---|",
    ]
    for name, t in data["milliseconds"].items():
        title = {"normals": "**normals (load to band_merge)**", "all": "**all**"}.get(name, name)
        lines.append(f"| {title} | {t['median']:.0f} | {t['low']:.0f} - {t['high']:.0f} |")
    lines += ["", "| | |", "|---|---|", f"| models loaded, with torch | {data['models_loaded_seconds']:.1f} s |"]
    if data["engine_ready_seconds"] is not None:
        lines.append(f"| engine ready after its start | {data['engine_ready_seconds']:.1f} s |")
    memory = data["peak_memory_mb"]
    lines.append(f"| peak memory of this process | {'not known' if memory is None else f'{memory:.0f} MB'} |")
    return "\n".join(lines)
