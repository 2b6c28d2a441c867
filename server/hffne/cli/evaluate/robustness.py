# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate robustness`: a figure for each group of hard pictures, so that a weak group is seen."""

import argparse
from pathlib import Path

from hffne.cli.evaluate.wild import add_photo_options, chosen_photos
from hffne.cli.options import add_engine_options, engine_arguments
from hffne.cli.report import about, add_report_options, sheet_rows, tell, write_report
from hffne.errors import HffneError


def add_parser(benchmarks):
    parser = benchmarks.add_parser(
        "robustness",
        help="hard poses, lights, photos and faces, a figure for each group",
        description="With --renders and --shapes: rendered faces whose normals are known, to profile, under hard "
        "light, of dark and light skin, and degraded. With photos: the same degradations, against the good photo's "
        "own result; and groups that you chose, measured as `wild` measures. Needs the extra 'train'.",
    )
    add_photo_options(parser)
    parser.add_argument("--renders", type=Path, metavar="SET", help="render the faces that this training set held out")
    parser.add_argument("--shapes", type=Path, metavar="DIR", help="folder of ict_facekit.npz, for --renders")
    parser.add_argument("--faces", type=int, default=10, metavar="N", help="rendered faces (default: %(default)s)")
    parser.add_argument(
        "--degraded",
        type=int,
        default=20,
        metavar="N",
        help="photos to degrade, spread over all; 0: none (default: %(default)s)",
    )
    parser.add_argument(
        "--group",
        type=_group,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a group of the photos: a text file with their names, one a line; may be given again",
    )
    add_report_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args):
    from contextlib import nullcontext

    from hffne.evaluation import robustness
    from hffne.evaluation.landmark_finder import LandmarkFinder
    from hffne.evaluation.rendered import Studio
    from hffne.pipeline import Engine

    with_photos = args.folder is not None or args.held_out is not None
    if not with_photos and args.renders is None:
        raise HffneError("There is nothing to measure on.", hint="Give a folder of photos, or --renders SET.")
    if (args.renders is None) != (args.shapes is None):
        raise HffneError("--renders and --shapes are needed together.")
    paths = chosen_photos(args) if with_photos else []
    lists = {name: robustness.read_group(path, paths) for name, path in args.group}
    studio = Studio(args.renders, args.shapes) if args.renders else None
    rows = sheet_rows(args)
    with LandmarkFinder() if with_photos else nullcontext() as finder:
        engine = Engine(**engine_arguments(args))
        renders = robustness.on_renders(engine, studio, args.faces, tell, rows) if studio else []
        some = [paths[k * len(paths) // args.degraded] for k in range(min(args.degraded, len(paths)))]
        photos = robustness.on_photos(engine, finder, some, tell) if some else []
        chosen = robustness.on_chosen(engine, finder, lists, tell) if lists else {}
    print(robustness.table(renders, photos, chosen))
    write_report(args, {**robustness.as_dict(renders, photos, chosen), **about(engine)}, rows and rows.rows)
    return 0


def _group(text):
    name, sign, path = text.partition("=")
    if not (name and sign and path):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=FILE")
    return name, Path(path)
