# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate yaleb|photoface|florence`: normals against true ones. `hffne figure` draws from the same."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hffne.cli.options import add_engine_options, engine_arguments
from hffne.cli.report import about, add_report_options, sheet_rows, tell, write_report
from hffne.errors import RequestError

_COUNTED = (
    "Pixels that our own face mask leaves out count too, with the coarse network's normal; pixels off the "
    "crop, and photos without a face found, count as flat."
)
_HELP = {
    "yaleb": (
        "normals on Extended Yale B against photometric stereo",
        "Angular errors over the truth's mask: as they are, and after the best global rotation of each face; and both of "
        "what the truth's maker, who takes skin for matte, would find on our normals: gloss is measured on each "
        "person's photos. ",
    ),
    "photoface": (
        "normals on Photoface against photometric stereo (Table 1)",
        "Angular errors over the face on the held-out share of the sessions, each photo against the normals "
        "that photometric stereo makes of its session. ",
    ),
    "florence": (
        "normals on the Florence scans (Table 2)",
        "Each scan is rendered from the front; angular errors over the face against the scan's own normals. ",
    ),
}


@dataclass(frozen=True)
class Benchmark:
    """items: what is measured, all files checked; evaluate(engine, items, merged, report, rows): results and the
    names of the left out; as_dict(results): the report."""

    items: list
    evaluate: Callable
    as_dict: Callable[[list], Any]


def add_parsers(benchmarks):
    for name in _HELP:
        parser = add_benchmark(benchmarks, name)
        parser.add_argument("--limit", type=int, metavar="N", help="only N, spread over all of them")
        add_report_options(parser)
        parser.set_defaults(run=run)


def add_benchmark(subparsers, name):
    """The parser of a benchmark of normals with the options that `benchmark` takes, for any command."""
    title, text = _HELP[name]
    parser = subparsers.add_parser(name, help=title, description=text + _COUNTED)
    parser.set_defaults(benchmark=name)
    if name == "yaleb":
        parser.add_argument(
            "folder",
            type=Path,
            metavar="DIR",
            help="CroppedYale, or <person>_<light>.png and <person>_normal.npz files",
        )
        parser.add_argument(
            "--light", "--lights", default="A+000E+00", metavar="NAME|all", help="which photos (default: %(default)s)"
        )
    elif name == "photoface":
        parser.add_argument("folder", type=Path, metavar="DIR", help="PhotofaceDB")
        parser.add_argument(
            "--share", type=float, default=0.2, metavar="F", help="share held out (default: %(default)s)"
        )
        parser.add_argument(
            "--seed", type=int, default=0, metavar="N", help="of the random split (default: %(default)s)"
        )
        parser.add_argument(
            "--by",
            choices=("session", "person"),
            default="session",
            help="what the split keeps together (default: %(default)s)",
        )
    else:
        parser.add_argument("folder", type=Path, metavar="DIR", help="the folder with subject_01 to subject_53")
        parser.add_argument(
            "--size", type=int, default=512, metavar="PX", help="of the rendered photos (default: %(default)s)"
        )
    if name != "yaleb":
        parser.add_argument("--part", action="store_true", help="measure on what is there of the data set")
    parser.add_argument("--no-merge", action="store_true", help="the fine network alone, as in the paper")
    add_engine_options(parser)
    return parser


def benchmark(args, limit=None):
    """The Benchmark that the options ask for. limit: this many items, spread over all. Raises HffneError."""
    make = {"yaleb": _yaleb, "photoface": _photoface, "florence": _florence}[args.benchmark]
    found = make(args)
    if limit and limit < len(found.items):
        items = [found.items[k * len(found.items) // limit] for k in range(limit)]
        return Benchmark(items, found.evaluate, found.as_dict)
    return found


def run(args):
    from hffne.evaluation import ground_truth
    from hffne.pipeline import Engine

    chosen = benchmark(args, args.limit)
    rows = sheet_rows(args)
    engine = Engine(**engine_arguments(args))
    results, left_out = chosen.evaluate(engine, chosen.items, not args.no_merge, tell, rows)
    print(ground_truth.table(results))
    if left_out:
        print(f"\n{len(left_out)} left out: {', '.join(left_out[:10])}{' ...' if len(left_out) > 10 else ''}")
    write_report(
        args,
        {**chosen.as_dict(results), "left_out": left_out, "merge": not args.no_merge, **about(engine)},
        rows and rows.rows,
    )
    return 0


def _yaleb(args):
    from hffne.datasets import yaleb as dataset
    from hffne.evaluation import yaleb

    return Benchmark(
        dataset.find(args.folder, args.light, part=True), lambda *rest: (yaleb.evaluate(*rest), []), yaleb.as_dict
    )


def _photoface(args):
    from hffne.datasets import photoface as dataset
    from hffne.evaluation import photoface

    sessions = dataset.find(args.folder, args.part)
    _, held_out = dataset.split(sessions, args.share, args.seed, args.by)
    if not held_out:
        raise RequestError(
            f"A share of {args.share} of {len(sessions)} sessions is none.", hint="For example: --share 0.2"
        )
    tell(f"{len(held_out)} of {len(sessions)} sessions are held out (seed {args.seed})")
    split = {"share": args.share, "seed": args.seed, "by": args.by, "sessions": len(sessions)}
    return Benchmark(
        held_out,
        photoface.evaluate,
        lambda results: {**photoface.as_dict(results, "photoface", group="photo"), "split": split},
    )


def _florence(args):
    from hffne.datasets import florence as dataset
    from hffne.evaluation import florence

    if not 64 <= args.size <= 4096:
        raise RequestError(f"Photos of {args.size} pixels cannot be rendered.", hint="--size takes 64 to 4096.")
    return Benchmark(
        dataset.find(args.folder, args.part),
        lambda *rest: florence.evaluate(*rest, size=args.size),
        lambda results: florence.as_dict(results, "florence"),
    )
