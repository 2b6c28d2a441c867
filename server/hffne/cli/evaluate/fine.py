# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate fine`: is the finest relief the photo's?"""

import argparse

from hffne.cli.evaluate.photo_options import add_photo_options, chosen_photos
from hffne.cli.options import Subparsers, add_engine_options, add_size_option, engine_arguments, size_argument
from hffne.cli.report import add_report_options, engine_info, full_width, print_progress, write_report


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command and its options."""
    parser = benchmarks.add_parser(
        "fine",
        help="fine relief on sharp photos: what it explains, what it invents",
        description="On bare skin, between 0.004 and 0.015 of the face's width: the share of the photo's fine "
        "luminance that one light makes of the normal (R2), and phantom relief: the relief where the photo has the "
        "least fine structure over that where it has the most. Sharp photos are wanted. Needs the extra 'train'.",
    )
    add_photo_options(parser)
    add_size_option(parser)
    add_report_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write the report; returns the exit status."""
    from hffne.evaluation import fine_relief
    from hffne.evaluation.landmark_finder import LandmarkFinder
    from hffne.pipeline import Engine

    paths = chosen_photos(args)
    rows: list | None = [] if args.sheet else None
    with LandmarkFinder() as finder:
        engine = Engine(**engine_arguments(args), **size_argument(args))
        results = fine_relief.evaluate(engine, finder, paths, print_progress, rows)
    print(fine_relief.table(results))
    shown = rows[: 2 * args.sheet_rows] if rows else None
    write_report(
        args, {**fine_relief.as_dict(results), "size": args.size, **engine_info(engine)}, shown, full_width(shown)
    )
    return 0
