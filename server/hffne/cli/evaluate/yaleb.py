# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate yaleb`: normals on Extended Yale B against photometric stereo."""

import argparse
from pathlib import Path

from hffne.cli.evaluate.benchmark import Benchmark, add_benchmark_parser, add_common_options, make_evaluation
from hffne.cli.options import Subparsers


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command of `hffne evaluate` and its options."""
    make_evaluation(add_benchmark(benchmarks))


def add_benchmark(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Add the parser with the benchmark's own options, for any command."""
    parser = add_benchmark_parser(
        subparsers,
        "yaleb",
        "normals on Extended Yale B against photometric stereo",
        "Angular errors over the ground truth's mask: as they are, and after the best global rotation of each face. "
        "Photometric stereo assumes matte skin, so that highlights tilt the ground truth. The same errors are also "
        "given for our normals with the same specular bias, whose strength is measured on each person's photos.",
        open_benchmark,
    )
    parser.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="CroppedYale, or <person>_<light>.png and <person>_normal.npz files",
    )
    parser.add_argument(
        "--light", "--lights", default="A+000E+00", metavar="NAME|all", help="which photos (default: %(default)s)"
    )
    add_common_options(parser)
    return parser


def open_benchmark(args: argparse.Namespace) -> Benchmark:
    """Find and check the photos. Raises HffneError."""
    from hffne.datasets import yaleb as dataset
    from hffne.evaluation import yaleb

    return Benchmark(
        dataset.find(args.folder, args.light, part=True),
        lambda *arguments: (yaleb.evaluate(*arguments), []),
        yaleb.as_dict,
    )
