# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate response`: how much of a change of the face's shape the normals show."""

import argparse
from pathlib import Path

from hffne.cli.options import Subparsers, add_engine_options, engine_arguments, whole
from hffne.cli.report import add_report_options, engine_info, print_progress, write_report


def add_parser(benchmarks: Subparsers) -> None:
    """Add the command and its options."""
    parser = benchmarks.add_parser(
        "response",
        help="how much of a change of the face's shape the normals show",
        description="Rendered faces that the training held out, each smooth and with waves in its shape, under the "
        "same light: how much of the change of the true normals the final normals show (1: all), and how well the two "
        "changes agree. Needs the extra 'train'.",
    )
    parser.add_argument("renders", type=Path, metavar="SET", help="render the held-out faces of this training set")
    parser.add_argument("--shapes", type=Path, required=True, metavar="DIR", help="folder of ict_facekit.npz")
    parser.add_argument("--faces", type=whole(), default=10, metavar="N", help="rendered faces (default: %(default)s)")
    add_report_options(parser, sheet=False)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table and write the report; returns the exit status."""
    from hffne.evaluation import response
    from hffne.evaluation.rendered import HeldOutFaces
    from hffne.pipeline import Engine

    faces = HeldOutFaces(args.renders, args.shapes)
    engine = Engine(**engine_arguments(args))
    results = response.evaluate(engine, faces, args.faces, print_progress)
    print(response.table(results))
    write_report(args, {**response.as_dict(results), **engine_info(engine)}, None)
    return 0
