# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate yaleb|photoface|florence`: normals against true ones."""

from pathlib import Path

from hffne.cli.options import add_engine_options, engine_arguments
from hffne.cli.report import about, add_report_options, sheet_rows, tell, write_report

_COUNTED = ("Pixels that our own face mask leaves out count too, with the coarse network's normal; pixels off the "
            "crop, and photos without a face found, count as flat.")


def add_parsers(benchmarks):
    yaleb = benchmarks.add_parser(
        "yaleb",
        help="normals on Extended Yale B against photometric stereo",
        description="Angular errors over the truth's mask: as they are, and after the best global rotation of each "
        "face. " + _COUNTED,
    )
    yaleb.add_argument("folder", type=Path, metavar="DIR",
                       help="CroppedYale, or <person>_<light>.png and <person>_normal.npz files")
    yaleb.add_argument("--light", "--lights", default="A+000E+00", metavar="NAME|all", help="which photos (default: %(default)s)")
    yaleb.set_defaults(run=run_yaleb)
    photoface = benchmarks.add_parser(
        "photoface",
        help="normals on Photoface against photometric stereo (Table 1)",
        description="Angular errors over the face on the held-out share of the sessions, each photo against the "
        "normals that photometric stereo makes of its session. " + _COUNTED,
    )
    photoface.add_argument("folder", type=Path, metavar="DIR", help="PhotofaceDB")
    photoface.add_argument("--share", type=float, default=0.2, metavar="F", help="share held out (default: %(default)s)")
    photoface.add_argument("--seed", type=int, default=0, metavar="N", help="of the random split (default: %(default)s)")
    photoface.add_argument("--by", choices=("session", "person"), default="session",
                           help="what the split keeps together (default: %(default)s)")
    photoface.set_defaults(run=run_photoface)
    florence = benchmarks.add_parser(
        "florence",
        help="normals on the Florence scans (Table 2)",
        description="Each scan is rendered from the front; angular errors over the face against the scan's own "
        "normals. " + _COUNTED,
    )
    florence.add_argument("folder", type=Path, metavar="DIR", help="the folder with subject_01 to subject_53")
    florence.add_argument("--size", type=int, default=512, metavar="PX", help="of the rendered photos (default: %(default)s)")
    florence.set_defaults(run=run_florence)
    for each in (photoface, florence):
        each.add_argument("--part", action="store_true", help="measure on what is there of the data set")
        each.add_argument("--limit", type=int, metavar="N", help="only N, spread over all of them")
    for each in (yaleb, photoface, florence):
        each.add_argument("--no-merge", action="store_true", help="the fine network alone, as in the paper")
        add_report_options(each)
        add_engine_options(each)


def run_yaleb(args):
    from hffne.datasets import yaleb as dataset
    from hffne.evaluation import yaleb

    items = dataset.find(args.folder, args.light, part=True)
    return _run(args, lambda *rest: (yaleb.evaluate(*rest), []), items, lambda results: yaleb.as_dict(results))


def run_photoface(args):
    from hffne.datasets import photoface as dataset
    from hffne.evaluation import photoface

    sessions = dataset.find(args.folder, args.part)
    _, held_out = dataset.split(sessions, args.share, args.seed, args.by)
    tell(f"{len(held_out)} of {len(sessions)} sessions are held out (seed {args.seed})")
    data = {"split": {"share": args.share, "seed": args.seed, "by": args.by, "sessions": len(sessions)}}
    return _run(args, photoface.evaluate, _some(held_out, args.limit),
                lambda results: {**photoface.as_dict(results, "photoface", group="photo"), **data})


def run_florence(args):
    from hffne.datasets import florence as dataset
    from hffne.evaluation import florence

    scans = _some(dataset.find(args.folder, args.part), args.limit)
    return _run(args, lambda *rest: florence.evaluate(*rest, size=args.size), scans,
                lambda results: florence.as_dict(results, "florence"))


def _run(args, evaluate, items, as_dict):
    """Measure, print the table and write what was asked for. The items were checked before the networks load."""
    from hffne.evaluation import truth
    from hffne.pipeline import Engine

    rows = sheet_rows(args)
    engine = Engine(**engine_arguments(args))
    results, left_out = evaluate(engine, items, not args.no_merge, tell, rows)
    print(truth.table(results))
    if left_out:
        print(f"\n{len(left_out)} left out: {', '.join(left_out[:10])}{' ...' if len(left_out) > 10 else ''}")
    write_report(args, {**as_dict(results), "left_out": left_out, "merge": not args.no_merge, **about(engine)},
                 rows and rows.rows)
    return 0


def _some(items, limit):
    if limit and limit < len(items):
        return [items[k * len(items) // limit] for k in range(limit)]
    return items
