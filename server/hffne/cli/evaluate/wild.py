# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate wild`: shape and relief on any photos of faces, without ground truth."""

import argparse

from hffne.cli.evaluate.photo_options import add_photo_options, chosen_photos
from hffne.cli.options import Subparsers, add_engine_options, engine_arguments
from hffne.cli.report import add_report_options, engine_info, print_progress, sheet_collector, write_report


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command and its options."""
    parser = benchmarks.add_parser(
        "wild",
        help="shape and relief on any photos of faces",
        description="Shape: the smoothed normal (sigma 6 px of a 256 crop) against MediaPipe's landmark mesh. "
        "Relief: the share of the photo's fine luminance (1 to 5 px, skin without brows, eyes, nostrils and lips) "
        "that the best light explains by the normal's fine components (R2). Means over the photos, for the coarse, the "
        "fine and the final normal. Needs the extra 'train'.",
    )
    add_photo_options(parser)
    add_report_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write the report; returns the exit status."""
    from hffne.evaluation import wild
    from hffne.evaluation.landmark_finder import LandmarkFinder

    paths = chosen_photos(args)
    rows = sheet_collector(args)
    with LandmarkFinder() as finder:
        from hffne.pipeline import Engine

        engine = Engine(**engine_arguments(args))
        results = wild.evaluate(engine, finder, paths, print_progress, rows)
    print(wild.table(results))
    write_report(args, {**wild.as_dict(results), **engine_info(engine)}, rows.rows if rows else None)
    return 0
