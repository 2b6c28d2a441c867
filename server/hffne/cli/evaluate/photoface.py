# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate photoface`: normals on Photoface against photometric stereo (Table 1)."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hffne.cli.evaluate.benchmark import (
    Benchmark,
    add_benchmark_parser,
    add_common_options,
    add_part_option,
    make_evaluation,
)
from hffne.cli.options import Subparsers, number, whole
from hffne.cli.report import print_progress
from hffne.errors import RequestError


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command of `hffne evaluate` and its options."""
    make_evaluation(add_benchmark(benchmarks))


def add_benchmark(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Add the parser with the benchmark's own options, for any command."""
    parser = add_benchmark_parser(
        subparsers,
        "photoface",
        "normals on Photoface against photometric stereo (Table 1)",
        "Angular errors over the face on the held-out share of the sessions, each photo against the normals that "
        "photometric stereo computes from its session.",
        open_benchmark,
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="PhotofaceDB")
    parser.add_argument("--share", type=number(0, 1), default=0.2, metavar="F", help="held out (default: %(default)s)")
    parser.add_argument(
        "--seed", type=whole(0), default=0, metavar="N", help="of the random split (default: %(default)s)"
    )
    parser.add_argument(
        "--by",
        choices=("session", "person"),
        default="session",
        help="the unit that the split does not divide (default: %(default)s)",
    )
    add_part_option(parser)
    add_common_options(parser)
    return parser


def open_benchmark(args: argparse.Namespace) -> Benchmark:
    """Find the sessions and take the held-out ones. Raises HffneError."""
    from hffne.datasets import photoface as dataset
    from hffne.evaluation import photoface

    sessions = dataset.find(args.folder, args.part)
    _, held_out = dataset.split(sessions, args.share, args.seed, args.by)
    if not held_out:
        raise RequestError(
            f"A share of {args.share} of {len(sessions)} sessions is none.", hint="For example: --share 0.2"
        )
    print_progress(f"{len(held_out)} of {len(sessions)} sessions are held out (seed {args.seed})")
    split = {"share": args.share, "seed": args.seed, "by": args.by, "sessions": len(sessions)}

    def seen(note: str, items: Sequence[Any]) -> int | None:
        trained = dataset.trained_on(note, sessions)
        return None if trained is None else len({item.name for item in items} & set(trained))

    return Benchmark(
        held_out,
        photoface.evaluate,
        lambda results: {**photoface.as_dict(results), "split": split},
        seen,
        lambda path: "/".join([*path.parts[-3:-1], path.stem]),
    )
