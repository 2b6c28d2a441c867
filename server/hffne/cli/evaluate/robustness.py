# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate robustness`: results for each group of difficult pictures, so that weak groups show."""

import argparse
from pathlib import Path

from hffne.cli.evaluate.photo_options import add_photo_options, chosen_photos
from hffne.cli.options import Subparsers, add_engine_options, engine_arguments, evenly_spaced, whole
from hffne.cli.report import add_report_options, engine_info, print_progress, sheet_collector, write_report
from hffne.errors import HffneError


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command and its options."""
    parser = benchmarks.add_parser(
        "robustness",
        help="difficult poses, lights, photos and faces, a result for each group",
        description="With --renders and --shapes: rendered faces with known normals, up to profile, under hard "
        "light, with dark and light skin, and degraded. With photos: the same degradations, compared with the "
        "result of the undegraded photo; and groups of your own, measured as in `wild`. Needs the extra 'train'.",
    )
    add_photo_options(parser)
    parser.add_argument("--renders", type=Path, metavar="SET", help="render the held-out faces of this training set")
    parser.add_argument("--shapes", type=Path, metavar="DIR", help="folder of ict_facekit.npz, for --renders")
    parser.add_argument("--faces", type=whole(), default=10, metavar="N", help="rendered faces (default: %(default)s)")
    parser.add_argument(
        "--degraded",
        type=whole(0),
        default=20,
        metavar="N",
        help="photos to degrade, evenly spaced over all; 0: none (default: %(default)s)",
    )
    parser.add_argument(
        "--group",
        type=_group,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a group of the photos: a text file with one file name per line; can be given several times",
    )
    add_report_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables and write the report; returns the exit status."""
    from contextlib import nullcontext

    from hffne.evaluation import robustness
    from hffne.evaluation.landmark_finder import LandmarkFinder
    from hffne.evaluation.rendered import HeldOutFaces
    from hffne.pipeline import Engine

    with_photos = args.folder is not None or args.held_out is not None
    if not with_photos and args.renders is None:
        raise HffneError("There is nothing to measure on.", hint="Give a folder of photos, or --renders SET.")
    if (args.renders is None) != (args.shapes is None):
        raise HffneError("--renders and --shapes are needed together.")
    paths = chosen_photos(args) if with_photos else []
    lists = {name: robustness.read_group(path, paths) for name, path in args.group}
    faces = HeldOutFaces(args.renders, args.shapes) if args.renders else None
    rows = sheet_collector(args)
    with LandmarkFinder() if with_photos else nullcontext() as finder:
        engine = Engine(**engine_arguments(args))
        renders = robustness.on_renders(engine, faces, args.faces, print_progress, rows) if faces else []
        photos, chosen = [], {}
        if finder is not None:
            degraded = evenly_spaced(paths, args.degraded)
            photos = robustness.on_photos(engine, finder, degraded, print_progress) if degraded else []
            chosen = robustness.on_chosen(engine, finder, lists, print_progress)
    print(robustness.table(renders, photos, chosen))
    write_report(
        args, {**robustness.as_dict(renders, photos, chosen), **engine_info(engine)}, rows.rows if rows else None
    )
    return 0


def _group(text: str) -> tuple[str, Path]:
    name, sign, path = text.partition("=")
    if not (name and sign and path):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=FILE")
    return name, Path(path)
