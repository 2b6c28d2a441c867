# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate florence`: normals on the Florence scans (Table 2)."""

import argparse
from functools import partial
from pathlib import Path

from hffne.cli.evaluate.benchmark import (
    Benchmark,
    add_benchmark_parser,
    add_common_options,
    add_part_option,
    make_evaluation,
)
from hffne.cli.options import Subparsers
from hffne.errors import RequestError


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command of `hffne evaluate` and its options."""
    make_evaluation(add_benchmark(benchmarks))


def add_benchmark(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Add the parser with the benchmark's own options, for any command."""
    parser = add_benchmark_parser(
        subparsers,
        "florence",
        "normals on the Florence scans (Table 2)",
        "Each scan is rendered from the front; angular errors over the face against the scan's own normals.",
        open_benchmark,
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder with subject_01 to subject_53")
    parser.add_argument(
        "--size", type=int, default=512, metavar="PX", help="of the rendered photos (default: %(default)s)"
    )
    add_part_option(parser)
    add_common_options(parser)
    return parser


def open_benchmark(args: argparse.Namespace) -> Benchmark:
    """Find the scans. Raises HffneError."""
    from hffne.datasets import florence as dataset
    from hffne.evaluation import florence

    if not 64 <= args.size <= 4096:
        raise RequestError(f"Photos of {args.size} pixels cannot be rendered.", hint="--size takes 64 to 4096.")
    return Benchmark(dataset.find(args.folder, args.part), partial(florence.evaluate, size=args.size), florence.as_dict)
