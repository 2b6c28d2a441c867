# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate scales`: how detail and shape change with the crop's size."""

from pathlib import Path

from hffne.cli.evaluate.wild import add_photo_options, chosen_photos
from hffne.cli.options import add_engine_options, engine_arguments
from hffne.cli.report import about, add_report_options, tell, write_report


def add_parser(benchmarks):
    parser = benchmarks.add_parser(
        "scales",
        help="detail and shape at several sizes of the crop",
        description="The relief's strength in bands of its width on the face (pixels of a 256 crop), the share of the "
        "photo's luminance in the same band that some light makes of it, and how far the smoothed normal drifts from "
        "the smallest size's.",
    )
    add_photo_options(parser)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[256, 512, 1024], metavar="PIXELS", help="default: 256 512 1024"
    )
    add_report_options(parser, sheet=False)
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write a contact sheet (PNG) here")
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args):
    from hffne.evaluation import scales
    from hffne.pipeline import Engine, check_size

    sizes = sorted({check_size(size) for size in args.sizes})
    paths = chosen_photos(args)
    rows = [] if args.sheet else None
    engine = Engine(**engine_arguments(args))
    results = scales.evaluate(engine, paths, sizes, tell, rows)
    print(scales.table(results))
    write_report(args, {**scales.as_dict(results), **about(engine)}, rows, scales.SIDE)
    return 0
