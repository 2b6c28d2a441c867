# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne figure`: the paper's figures, on your own photos and data, as contact sheets."""

from pathlib import Path

from hffne.cli.options import add_engine_options, engine_arguments
from hffne.cli.report import tell

LIGHTS = ((-0.8, 0.3, 0.5), (0.8, 0.3, 0.5))


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "figure",
        help="draw a figure of the paper",
        description="Draw a figure of the paper on your own photos and data, as one picture (PNG).",
    )
    figures = parser.add_subparsers(dest="figure", metavar="FIGURE", required=True)
    for name, text in (
        ("exemplar", "the coarse exemplar beside the refined normal (Figure 3)"),
        ("shading", "the base mesh under several lights, without and with the normals (Figure 4)"),
        ("relight", "the face under a target light, by its normals and an albedo (Figure 7)"),
    ):
        figure = figures.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        figure.add_argument("photos", nargs="*" if name == "relight" else "+", type=Path, metavar="PHOTO")
        if name == "relight":
            figure.add_argument(
                "--dataset", type=Path, metavar="DIR", help="ICT-3DRFE: its albedo and its true normals"
            )
            figure.add_argument(
                "--light",
                type=float,
                nargs=3,
                action="append",
                metavar=("X", "Y", "Z"),
                help="toward the target light: right, up, to the viewer; again for more lights",
            )
            figure.add_argument("--limit", type=int, default=8, metavar="N", help="faces of the data set (default: 8)")
        _add_output(figure)
        add_engine_options(figure)
        figure.set_defaults(run=run_photos)
    for name, text, count in (
        ("errors", "normals and their error maps on a benchmark (Figure 6)", 6),
        ("failures", "the worst faces of a benchmark with their error maps (Figure 11)", 8),
    ):
        _add_benchmarks(figures.add_parser(name, help=text, description=text[0].upper() + text[1:] + "."), name, count)


def _add_benchmarks(figure, name, count):
    from hffne.cli.evaluate.normals import add_benchmark

    benchmarks = figure.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    for benchmark in ("yaleb", "photoface", "florence"):
        parser = add_benchmark(benchmarks, benchmark)
        parser.add_argument(
            "--count",
            type=int,
            default=count,
            metavar="N",
            help="measure N, spread over all" if name == "errors" else "show the N worst",
        )
        if name == "failures":
            parser.add_argument("--limit", type=int, metavar="N", help="measure only N, spread over all")
        _add_output(parser)
        parser.set_defaults(run=run_benchmark)


def _add_output(parser):
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the picture to write (PNG)")


def run_photos(args):
    """Exit code as `hffne normals`: photos without a face are told, the others are drawn."""
    from hffne.cli.main import print_error
    from hffne.errors import HffneError
    from hffne.output import output_folder
    from hffne.photo.detect import choose_faces, find_faces
    from hffne.photo.load import load_photo

    sources = _sources(args)
    rows, failures, engine = [], [], None
    with output_folder(args.output.parent):
        for path, item in sources:
            try:
                photo = load_photo(path)
                face = choose_faces(find_faces(photo), "largest", path)[0][1]
                if engine is None:
                    from hffne.pipeline import Engine

                    engine = Engine(**engine_arguments(args))
                rows += _draw(args, engine, photo, face, item)
            except HffneError as error:
                print_error(error)
                failures.append(error)
        if rows:
            _save(args.output, rows)
    return failures[0].exit_code if failures else 0


def run_benchmark(args):
    from hffne.cli.evaluate.normals import benchmark
    from hffne.figures.errors import ErrorMaps, Failures
    from hffne.output import output_folder
    from hffne.pipeline import Engine

    count = max(1, args.count)
    chosen = benchmark(args, count if args.figure == "errors" else args.limit)
    rows = ErrorMaps() if args.figure == "errors" else Failures(count)
    with output_folder(args.output.parent):
        chosen.evaluate(Engine(**engine_arguments(args)), chosen.items, not args.no_merge, tell, rows)
        _save(args.output, rows.rows)
    return 0


def _sources(args):
    """[(photo path, item of ICT-3DRFE or None)]"""
    from hffne.errors import NoPhotosError

    folder = getattr(args, "dataset", None)
    if folder is not None:
        from hffne.datasets import ict3drfe

        items = ict3drfe.find(folder, part=True)[: max(1, args.limit)]
        return [(path, None) for path in args.photos] + [(item.photo, item) for item in items]
    if not args.photos:
        raise NoPhotosError("There is no photo to relight.", hint="Name photos, or --dataset DIR.")
    return [(path, None) for path in args.photos]


def _draw(args, engine, photo, face, item):
    from hffne.figures import exemplar, relight, shading

    if args.figure == "relight":
        from hffne.errors import RequestError

        lights = args.light or LIGHTS
        if not all(any(light) for light in lights):
            raise RequestError("A light's direction is not (0, 0, 0).", hint="For example: --light -1 0.5 1")
        if item is not None:
            return relight.dataset_rows(engine, photo, face, item, lights)
        return relight.rows(engine, photo, face, photo.path.stem, lights)
    return {"exemplar": exemplar, "shading": shading}[args.figure].rows(engine, photo, face, photo.path.stem)


def _save(path, rows):
    from hffne.evaluation import contact_sheet

    contact_sheet.save(rows, path)
    print(path)
