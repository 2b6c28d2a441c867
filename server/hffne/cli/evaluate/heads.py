# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate heads`: rendered people with lids and lips, which the training held out."""

import argparse
from pathlib import Path

from hffne.cli.options import Subparsers, add_engine_options, add_size_option, engine_arguments, size_argument, whole
from hffne.cli.report import add_report_options, engine_info, full_width, print_progress, write_report


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command and its options."""
    parser = benchmarks.add_parser(
        "heads",
        help="rendered people with lids and lips",
        description="The people of the second head family that training never sees, from three sides under four "
        "lights: degrees after the best rotation of each picture, over the whole face, within 0.12 eye distances of "
        "lids and of lips, and over all skin without the hair that is a part of some heads. The sheet "
        "shows them at full resolution in raking light. Needs the extra 'train'.",
    )
    parser.add_argument("folder", type=Path, metavar="SET", help="folder of the second head family (VALID, MIT)")
    parser.add_argument("--shapes", type=Path, required=True, metavar="DIR", help="folder of ict_facekit.npz")
    parser.add_argument(
        "--pixels", type=whole(64, 4096), default=512, metavar="N", help="side of the photos (default: %(default)s)"
    )
    add_size_option(parser)
    add_report_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write the report; returns the exit status."""
    from hffne.evaluation import heads
    from hffne.pipeline import Engine

    people = heads.HeldOutHeads(args.folder, args.shapes, args.pixels)
    engine = Engine(**engine_arguments(args), **size_argument(args))
    rows: list | None = [] if args.sheet else None
    results = heads.evaluate(engine, people, print_progress, rows)
    print(heads.table(results))
    write_report(args, {**heads.as_dict(results), **engine_info(engine)}, rows, full_width(rows))
    return 0
