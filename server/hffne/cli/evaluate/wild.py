# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate wild`: shape and relief on any photos of faces, without a truth."""

from pathlib import Path

from hffne.cli.options import add_engine_options, engine_arguments
from hffne.cli.report import about, add_report_options, sheet_rows, tell, write_report
from hffne.errors import HffneError, NoPhotosError


def add_parser(benchmarks):
    parser = benchmarks.add_parser(
        "wild",
        help="shape and relief on any photos of faces",
        description="Shape: the normal, smoothed (sigma 6 px of a 256 crop), against MediaPipe's landmark mesh. "
        "Relief: the share of the photo's fine luminance (1 to 5 px, skin without brows, eyes, nostrils and lips) "
        "that some light makes of the normal's fine components. Means over the photos, for the coarse normal, the "
        "fine one and the product's. Needs the extra 'train'.",
    )
    add_photo_options(parser)
    add_report_options(parser)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args):
    from hffne.evaluation import wild
    from hffne.evaluation.landmark_finder import LandmarkFinder

    paths = chosen_photos(args)
    rows = sheet_rows(args)
    with LandmarkFinder() as finder:
        from hffne.pipeline import Engine

        engine = Engine(**engine_arguments(args))
        results = wild.evaluate(engine, finder, paths, tell, rows)
    print(wild.table(results))
    write_report(args, {**wild.as_dict(results), **about(engine)}, rows and rows.rows)
    return 0


def add_photo_options(parser):
    """DIR, --held-out and --limit, as `chosen_photos` takes them."""
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="photos, in its folders too")
    parser.add_argument(
        "--held-out", type=Path, metavar="SET", help="only those photos that the training on this set kept for checking"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="N photos spread over all of them")


def chosen_photos(args):
    """The photos of args.folder, args.held_out and args.limit. Raises HffneError when there are none."""
    from hffne.evaluation.wild import held_out
    from hffne.photo.formats import FORMAT_NAMES
    from hffne.photo.load import find_photos

    if args.folder is None and args.held_out is None:
        raise HffneError("There are no photos to measure on.", hint="Name a folder of photos, or --held-out SET.")
    paths = None
    if args.folder is not None:
        paths = find_photos(args.folder)
        if not paths:
            raise NoPhotosError(f"'{args.folder}' holds no photos.", hint=f"Photos can be {FORMAT_NAMES}.")
    if args.held_out is not None:
        paths = held_out(args.held_out, paths)
    if args.limit and args.limit < len(paths):
        paths = [paths[k * len(paths) // args.limit] for k in range(args.limit)]
    return paths
