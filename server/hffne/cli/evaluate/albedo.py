# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate albedo`: how far colors are without light, on rendered people whom training never saw."""

import argparse
from pathlib import Path

from hffne.cli.options import Subparsers, add_engine_options, engine_arguments
from hffne.cli.report import add_report_options, engine_info, full_width, print_progress, write_report


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command and its options."""
    parser = benchmarks.add_parser(
        "albedo",
        help="how far colors are without light, on rendered people",
        description="The dressed people of a training set (`hffne train data --parsing-people`) whom the training "
        "never sees: the error of the colors without light against the known albedo, after one gain, and the skin's "
        "color, by its tone. Needs the extra 'train'.",
    )
    parser.add_argument("folder", type=Path, metavar="SET", help="a set of `hffne train data`")
    add_report_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write the report; returns the exit status."""
    from hffne.evaluation import albedo
    from hffne.pipeline import Engine

    engine = Engine(**engine_arguments(args), size=256)
    rows: list | None = [] if args.sheet else None
    results = albedo.evaluate(engine, args.folder, print_progress, rows)
    print(albedo.table(results))
    write_report(args, {**albedo.as_dict(results), **engine_info(engine)}, rows, full_width(rows))
    return 0
