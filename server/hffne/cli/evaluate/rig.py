# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate rig`: the fitted head on photos, its distance to the position map and where its surfaces cross."""

import argparse

from hffne.cli.evaluate.photo_options import add_photo_options, measure_photos
from hffne.cli.options import Subparsers, add_engine_options
from hffne.cli.report import add_report_options


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command and its options."""
    parser = benchmarks.add_parser(
        "rig",
        help="the fitted head: its distance to the position map, and whether lids, lips and teeth cross",
        description="Fits the head to the largest face of each photo. How deep lids lie in the eyeballs, the upper lip "
        "in the lower one and teeth in the lips, at rest and with each shape key at 1 (mouthClose, which is made to be "
        "added to jawOpen, is left out). Needs the extra 'evaluate'.",
    )
    add_photo_options(parser)
    add_report_options(parser, sheet=False)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write the report; returns the exit status."""
    from hffne.evaluation import rig

    return measure_photos(args, rig)
