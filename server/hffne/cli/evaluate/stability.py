# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate stability`: how far the normals change when the same face is mirrored, moved or turned a little."""

import argparse

from hffne.cli.evaluate.photo_options import add_photo_options, measure_photos
from hffne.cli.options import Subparsers, add_engine_options
from hffne.cli.report import add_report_options


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command and its options."""
    parser = benchmarks.add_parser(
        "stability",
        help="the mirrored photo, and the crop moved or turned a little",
        description="The mean change of the normals over the face: of the mirrored photo's, mirrored back; with the "
        "crop moved by one pixel of 256 in each direction; with the photo turned by 3 degrees and back. For the "
        "last two the largest of all directions.",
    )
    add_photo_options(parser)
    add_report_options(parser, sheet=False)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write the report; returns the exit status."""
    from hffne.evaluation import stability

    return measure_photos(args, stability)
