# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne bench`: milliseconds and memory, stage by stage, on this machine."""

import argparse
import importlib.util
import itertools
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hffne.benchmark.memory import peak_memory
from hffne.benchmark.tables import blender_table, change_table, comparison_table, stage_table, update_page
from hffne.benchmark.timing import ratio_of_pairs, summarize
from hffne.cli.options import add_engine_options, engine_arguments, whole
from hffne.errors import HffneError

if TYPE_CHECKING:
    from hffne.pipeline import Engine

STAGES = ("load", "detect", "prn", "coarse", "fine", "band_merge", "unwrap", "maps", "mesh")
# The stages of `hffne normals`; unwrapping and the mesh are for Blender.
NORMALS = STAGES[:6]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb `bench`."""
    parser = subparsers.add_parser(
        "bench",
        help="measure the time of each stage and the memory",
        description="Time each stage of one photo, warm: median and spread of several runs; the time from an engine's "
        "start to its first answer; the peak memory of this process.",
    )
    parser.add_argument(
        "photo", nargs="?", type=Path, metavar="PHOTO", help="default: the astronaut photo of scikit-image, 512 x 512"
    )
    parser.add_argument("--runs", type=whole(), default=10, metavar="N", help="timed runs (default: %(default)s)")
    parser.add_argument(
        "--texture-size", type=whole(64, 8192), default=1024, metavar="PIXELS", help="default: %(default)s"
    )
    parser.add_argument("--against", choices=["paper"], help="also time the published widths in the same run")
    parser.add_argument("--base", choices=["mask", "head"], default="mask", help="what is built (default: %(default)s)")
    parser.add_argument("--maps", nargs="+", default=[], metavar="NAME", help="further maps to make (default: none)")
    parser.add_argument("--size", type=int, metavar="PIXELS", help="the crop's side (default: as the photo needs)")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="also the ratios to an earlier --json")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--no-start", action="store_true", help="do not start an engine to time its start")
    parser.add_argument(
        "--stages",
        action="store_true",
        help="also each stage by itself: the fine network at 256, 512 and 1024, unwrapping at 1k, 2k, 4k",
    )
    parser.add_argument(
        "--texture-sizes",
        type=whole(64, 8192),
        nargs="+",
        default=[1024, 2048, 4096],
        metavar="PIXELS",
        help="for --stages and --blender",
    )
    parser.add_argument(
        "--fine-sizes",
        type=whole(),
        nargs="+",
        default=[256, 512, 1024],
        metavar="PIXELS",
        help="for --stages and --batches",
    )
    parser.add_argument(
        "--blender",
        action="store_true",
        help="also photo to finished object, the longest stall, and the conversion against a bake",
    )
    parser.add_argument(
        "--session",
        type=whole(0),
        default=0,
        metavar="N",
        help="also N photos in one engine, a photo of 24 megapixels and textures of 4096: memory and time",
    )
    parser.add_argument(
        "--batches",
        type=whole(),
        nargs="+",
        metavar="N",
        help="also faces per second of so many at once, against the published widths, at --fine-sizes, and photos per "
        "second through the whole pipeline",
    )
    parser.add_argument("--half", action="store_true", help="compute in half precision (for GPUs)")
    parser.add_argument("--update", type=Path, metavar="FILE", help="put the tables between this page's marks")
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns the exit status."""
    from hffne import __version__
    from hffne.output import output_folder, write_files

    path = args.photo or _astronaut()
    runs = max(1, args.runs)
    before = _earlier(args.compare) if args.compare else None
    engine, load_seconds = _engine(args)
    timed_runs = [_one_run(engine, path, args) for _ in range(runs + 1)][1:]  # the first one warms up
    times, (photo_size, crop) = [run[0] for run in timed_runs], timed_runs[0][1:]
    # Before another process is started, and before anything that is not the engine's.
    memory = peak_memory()
    start = None if args.no_start else _engine_start(args)
    parts = {name: (name,) for name in STAGES} | {"normals": NORMALS, "all": STAGES}
    rows = {}
    for name, stages_of in parts.items():
        wall, cpu = ([sum(t[stage][k] for stage in stages_of) for t in times] for k in (0, 1))
        rows[name] = summarize(wall) | {"cpu": summarize(cpu)["median"]}
    data: dict[str, Any] = {
        "version": __version__,
        "model": engine.model,
        "device": engine.device_name,
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "photo_size": photo_size,
        "crop": crop,
        "texture_size": args.texture_size,
        "runs": runs,
        "milliseconds": rows,
        "models_loaded_seconds": load_seconds,
        "engine_ready_seconds": start,
        "peak_memory_mb": memory,
    }
    page: list[str] = []

    def show(text: str) -> None:
        page.append(text)
        print(text, end="\n\n", flush=True)

    show(stage_table(data))
    if before is not None:
        show(change_table(data, before))
    if args.against == "paper":
        data["against"] = _against_paper(engine, runs)
        show(comparison_table(data["against"]))
    if args.stages:
        from hffne.benchmark import stages

        data["stages"], data["stages_memory"] = stages.stage_times(
            engine, path, runs, args.fine_sizes, args.texture_sizes
        )
        show(stages.markdown(data["stages"], data["stages_memory"]))
    if args.batches:
        from hffne.benchmark import throughput
        from hffne.models import untrained_paper_models
        from hffne.photo.detect import choose_faces, find_faces
        from hffne.photo.load import load_photo

        both = {"compact": engine.networks, "paper": untrained_paper_models(engine.networks.device)}
        both["paper"].half = args.half
        data["throughput"] = throughput.throughput(both, args.fine_sizes, args.batches)
        show(throughput.markdown(data["throughput"]))
        photo = load_photo(path)
        face = choose_faces(find_faces(photo), "largest", path)[0][1]
        data["photos"] = throughput.photos_per_second(engine, photo, face, args.batches, args.size)
        show(throughput.photos_markdown(data["photos"]))
    if args.blender:
        data["blender"] = _in_blender(args, path)
        if data["blender"]:
            show(blender_table(data["blender"]))
    if args.session:
        from hffne.benchmark import session

        large = session.large_inputs(path, _serve_options(args))
        long = session.long_session(path, args.session, options=_serve_options(args), report=_report_photos)
        data["session"], data["large"] = long, large
        show(session.markdown(long, large))
    if args.update:
        update_page(args.update, "\n\n".join(page))
    if args.json:
        text = json.dumps(data, indent=1).encode()
        with output_folder(args.json.parent):
            write_files({args.json: lambda file: file.write(text)})
    return 0


def _against_paper(engine: "Engine", runs: int) -> dict[str, Any]:
    """Milliseconds of one 256 x 256 face, gray crop to fine normal, alternately with both networks: medians, ratio.

    The published widths have random weights here; their time does not depend on them. Each network runs as the
    product runs it: the compact coarse one on the face and on its mirror image.
    """
    import numpy as np

    from hffne.models import untrained_paper_models

    paper = untrained_paper_models(engine.networks.device)
    gray = np.random.default_rng(0).random((256, 256), np.float32)
    times: dict[str, list[float]] = {"compact": [], "paper": []}
    for _ in range(runs + 1):
        for name, coarse, fine in (
            ("compact", engine.coarse_normal, engine.networks.fine),
            ("paper", paper.coarse, paper.fine),
        ):
            started = time.perf_counter()
            fine(gray, coarse(gray))
            times[name].append((time.perf_counter() - started) * 1000)
    rows = {name: summarize(values[1:]) for name, values in times.items()}  # the first ones warm up
    return rows | {"times_faster": ratio_of_pairs(times["compact"][1:], times["paper"][1:])}


def _engine(args: argparse.Namespace) -> tuple["Engine", float]:
    """The engine, and the seconds that loading it took."""
    started = time.perf_counter()
    from hffne.pipeline import Engine

    engine = Engine(**engine_arguments(args))
    engine.networks.half = args.half
    return engine, time.perf_counter() - started


def _one_run(
    engine: "Engine", path: Path, args: argparse.Namespace
) -> tuple[dict[str, tuple[float, float]], list[int], int]:
    """Milliseconds of each stage of one photo, by the clock and of the processor, the photo's size (width, height), and
    the crop's."""
    from hffne.photo.detect import choose_faces, find_faces
    from hffne.photo.load import load_photo

    marks: list[tuple[str, float, float]] = []

    def mark(stage: str, fraction: float = 0.0, message: str = "") -> None:
        marks.append((stage, time.perf_counter(), time.process_time()))

    mark("load")
    photo = load_photo(path)
    mark("detect")
    face = choose_faces(find_faces(photo), "largest", path)[0][1]
    estimate = engine.normals(photo, face, mark, size=args.size)
    estimate.on_photo(photo.rgb.shape)
    engine.build(photo, estimate, texture_size=args.texture_size, report=mark, maps=args.maps, base=args.base)
    mark("end")
    times = dict.fromkeys(STAGES, (0.0, 0.0))
    for (name, wall, cpu), (_, wall_after, cpu_after) in itertools.pairwise(marks):
        times[name] = (wall_after - wall) * 1000, (cpu_after - cpu) * 1000
    return times, list(photo.size), estimate.crop.size


def _earlier(path: Path) -> dict[str, Any]:
    """The data of an earlier run. Raises HffneError where the file has none."""
    try:
        data = json.loads(path.read_text("utf-8"))
        if "milliseconds" in data:
            return dict(data)
    except (OSError, ValueError, TypeError):
        pass
    raise HffneError(f"'{path}' holds no figures of `hffne bench --json`.", hint="Name a file that --json wrote.")


def _engine_start(args: argparse.Namespace) -> float:
    """Seconds from the start of `hffne serve` to its answer to hello."""
    from hffne.benchmark.session import EngineProcess

    with EngineProcess(_serve_options(args)) as engine:
        return engine.seconds_to_ready


def _serve_options(args: argparse.Namespace) -> list[str]:
    """The options of `hffne serve` for the same engine."""
    return ["--model", args.model, *(["--device", args.device] if args.device else [])]


def _in_blender(args: argparse.Namespace, path: Path) -> dict[str, Any] | None:
    """The JSON of `hffne_blender.commands.profile_main_thread`, or None where bpy is not installed."""
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


def _astronaut() -> Path:
    """The portrait that comes with scikit-image. Raises HffneError where that is not installed."""
    try:
        import skimage
    except ImportError:
        raise HffneError(
            "No photo was given.", hint="Name a photo, or install scikit-image to use its portrait."
        ) from None
    return Path(skimage.__file__).parent / "data" / "astronaut.png"


def _report_photos(number: int) -> None:
    """Print the number of photos done, every 50 photos."""
    if number % 50 == 0:
        print(f"{number} photos", file=sys.stderr, flush=True)
