# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate response`: does a change of the face's form come through?"""

from pathlib import Path

from hffne.cli.options import add_engine_options, engine_arguments
from hffne.cli.report import about, add_report_options, tell, write_report


def add_parser(benchmarks):
    parser = benchmarks.add_parser(
        "response",
        help="how much of a change of the face's form comes through",
        description="Rendered faces that the training held out, each smooth and with waves in its form, under the same "
        "light: how much of the change of the true normals the product's normals show (1: all), and how well the two "
        "changes agree. Needs the extra 'train'.",
    )
    parser.add_argument("renders", type=Path, metavar="SET", help="render the faces that this training set held out")
    parser.add_argument("--shapes", type=Path, required=True, metavar="DIR", help="folder of ict_facekit.npz")
    parser.add_argument("--faces", type=int, default=10, metavar="N", help="rendered faces (default: %(default)s)")
    add_report_options(parser, sheet=False)
    add_engine_options(parser)
    parser.set_defaults(run=run)


def run(args):
    from hffne.evaluation import response
    from hffne.evaluation.rendered import Studio
    from hffne.pipeline import Engine

    studio = Studio(args.renders, args.shapes)
    engine = Engine(**engine_arguments(args))
    results = response.evaluate(engine, studio, args.faces, tell)
    print(response.table(results))
    write_report(args, {**response.as_dict(results), **about(engine)}, None)
    return 0
