# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate proportions`: landmarks and proportions against hand-placed points of the London set."""

import argparse
from pathlib import Path

from hffne.cli.options import Subparsers, add_engine_options, engine_arguments
from hffne.cli.report import add_report_options, engine_info, print_progress, write_report


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command and its options."""
    parser = benchmarks.add_parser(
        "proportions",
        help="landmarks and proportions of people, on the London set",
        description="Twelve landmarks against points placed by hand on neutral faces from the front: their error, and "
        "whether the lengths between them follow those of the person.",
    )
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="the Face Research Lab London Set, see `hffne dataset`"
    )
    add_report_options(parser, sheet=False)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables and write the report; returns the exit status."""
    from hffne.datasets import london
    from hffne.evaluation import proportions
    from hffne.pipeline import Engine

    items = london.find(args.folder, part=True)
    engine = Engine(**engine_arguments(args))
    results = proportions.evaluate(engine, items, print_progress)
    summary = proportions.summarize(results)
    print(proportions.table(summary))
    write_report(args, {**proportions.as_dict(results, summary), **engine_info(engine)}, None)
    return 0
