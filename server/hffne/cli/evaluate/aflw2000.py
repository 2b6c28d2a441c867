# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate aflw2000`: the 68 landmarks on AFLW2000-3D."""

import argparse
from pathlib import Path

from hffne.cli.options import Subparsers, add_engine_options, engine_arguments
from hffne.cli.report import add_report_options, engine_info, print_progress, write_report


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command and its options."""
    parser = benchmarks.add_parser(
        "aflw2000",
        help="68 landmarks on AFLW2000-3D",
        description="Normalized mean error (NME) of x and y over the square root of the area of the ground truth's "
        "bounding box, by yaw.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="<name>.jpg and <name>.mat files")
    parser.add_argument(
        "--base",
        choices=("map", "head"),
        default="map",
        help="whose landmarks: the position map's, or the fitted head's own (default: %(default)s)",
    )
    add_report_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write the report; returns the exit status."""
    from hffne.datasets import aflw2000 as dataset
    from hffne.evaluation import aflw2000
    from hffne.evaluation.head_estimates import HeadEstimates
    from hffne.evaluation.landmark_sheet import LandmarkSheet
    from hffne.pipeline import Engine

    items = dataset.find(args.folder, part=True)
    items[0].read_ground_truth()  # reports a missing SciPy before the networks are loaded
    sheet = LandmarkSheet() if args.sheet else None
    engine = Engine(**engine_arguments(args))
    measured = HeadEstimates(engine) if args.base == "head" else engine
    results = aflw2000.evaluate(measured, items, print_progress, sheet.add if sheet else None)
    print(aflw2000.table(results))
    write_report(
        args, {**aflw2000.as_dict(results), "base": args.base, **engine_info(engine)}, sheet.rows() if sheet else None
    )
    return 0
