# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate scales`: how detail and shape change with the crop's size."""

import argparse

from hffne.cli.evaluate.photo_options import add_photo_options, chosen_photos
from hffne.cli.options import Subparsers, add_engine_options, engine_arguments, whole
from hffne.cli.report import add_report_options, add_sheet_option, engine_info, print_progress, write_report


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command and its options."""
    parser = benchmarks.add_parser(
        "scales",
        help="detail and shape at several sizes of the crop",
        description="In bands of width on the face (pixels of a 256 crop): the strength of the relief, and the share "
        "of the photo's luminance that the best light explains by the normal (R2). And the drift of the smoothed "
        "normal from that of the smallest size.",
    )
    add_photo_options(parser)
    parser.add_argument(
        "--sizes", type=whole(), nargs="+", default=[256, 512, 1024], metavar="PIXELS", help="default: 256 512 1024"
    )
    add_report_options(parser, sheet=False)
    add_sheet_option(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write the report; returns the exit status."""
    from hffne.crop_levels import check_size
    from hffne.evaluation import scales
    from hffne.evaluation.contact_sheet import Row
    from hffne.pipeline import Engine

    sizes = sorted({check_size(size) for size in args.sizes})
    paths = chosen_photos(args)
    rows: list[Row] | None = [] if args.sheet else None
    engine = Engine(**engine_arguments(args))
    results = scales.evaluate(engine, paths, sizes, print_progress, rows)
    print(scales.table(results))
    write_report(args, {**scales.as_dict(results), **engine_info(engine)}, rows, scales.TILE)
    return 0
