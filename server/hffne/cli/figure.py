# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne figure`: the paper's figures, from your own photos and data, as contact sheets."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hffne.cli.evaluate import florence, photoface, yaleb
from hffne.cli.evaluate.benchmark import add_limit_option, add_merge_option
from hffne.cli.options import Subparsers, add_engine_options, engine_arguments
from hffne.cli.report import print_error, print_progress
from hffne.errors import HffneError, NoPhotosError, RequestError

if TYPE_CHECKING:
    from hffne.datasets.ict3drfe import Ict3drfeFace
    from hffne.evaluation.contact_sheet import Row
    from hffne.photo.detect import Face
    from hffne.photo.load import Photo
    from hffne.pipeline import Engine

LIGHTS = ((-0.8, 0.3, 0.5), (0.8, 0.3, 0.5))  # of relight without --light; toward the light, camera space
_PHOTO_FIGURES = {
    "exemplar": "the coarse exemplar beside the refined normal (Figure 3)",
    "shading": "the base mesh under several lights, without and with the normals (Figure 4)",
    "relight": "the face under a target light, from its normals and an albedo (Figure 7)",
}


def add_parser(subparsers: Subparsers) -> None:
    """Add the command and one sub-command for each figure."""
    parser = subparsers.add_parser(
        "figure",
        help="draw a figure of the paper",
        description="Draw a figure of the paper on your own photos and data, as one picture (PNG).",
    )
    figures = parser.add_subparsers(dest="figure", metavar="FIGURE", required=True)
    for name, text in _PHOTO_FIGURES.items():
        figure = figures.add_parser(name, help=text, description=_sentence(text))
        figure.add_argument("photos", nargs="*" if name == "relight" else "+", type=Path, metavar="PHOTO")
        if name == "relight":
            _add_relight_options(figure)
        if name in ("shading", "relight"):
            add_merge_option(figure)
        _add_output(figure)
        add_engine_options(figure)
        figure.set_defaults(run=run_photos)
    text = "normals and their error maps on a benchmark (Figure 6)"
    for parser in _add_benchmarks(figures.add_parser("errors", help=text, description=_sentence(text))):
        parser.add_argument("--count", type=int, default=6, metavar="N", help="measure N, evenly spaced over all")
    text = "the worst faces of a benchmark with their error maps (Figure 11)"
    for parser in _add_benchmarks(figures.add_parser("failures", help=text, description=_sentence(text))):
        parser.add_argument("--count", type=int, default=8, metavar="N", help="show the N worst")
        add_limit_option(parser)


def _add_relight_options(figure: argparse.ArgumentParser) -> None:
    figure.add_argument("--dataset", type=Path, metavar="DIR", help="ICT-3DRFE: its albedo and its true normals")
    figure.add_argument(
        "--light",
        type=float,
        nargs=3,
        action="append",
        metavar=("X", "Y", "Z"),
        help="direction toward the target light: right, up, toward the viewer; repeat for more lights",
    )
    figure.add_argument("--limit", type=int, default=8, metavar="N", help="faces of the data set (default: 8)")


def _add_benchmarks(figure: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    benchmarks = figure.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    parsers = [module.add_benchmark(benchmarks) for module in (yaleb, photoface, florence)]
    for parser in parsers:
        _add_output(parser)
        parser.set_defaults(run=run_benchmark)
    return parsers


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the picture to write (PNG)")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def run_photos(args: argparse.Namespace) -> int:
    """Draw a figure of photos; returns the exit status.

    A photo with an error, for example without a face, is reported and the others are drawn; the exit status is then
    that of the first error.
    """
    from hffne.output import output_folder
    from hffne.photo.detect import choose_faces, find_faces
    from hffne.photo.load import load_photo

    sources = _sources(args)
    rows: list[Row] = []
    failures: list[HffneError] = []
    engine = None
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


def run_benchmark(args: argparse.Namespace) -> int:
    """Draw a figure of a benchmark; returns the exit status."""
    from hffne.figures.errors import ErrorMaps, Failures
    from hffne.output import output_folder
    from hffne.pipeline import Engine

    count = max(1, args.count)
    rows = ErrorMaps() if args.figure == "errors" else Failures(count)
    benchmark = args.open_benchmark(args).limited(count if args.figure == "errors" else args.limit or None)
    with output_folder(args.output.parent):
        engine = Engine(**engine_arguments(args))
        benchmark.evaluate(engine, benchmark.items, not args.no_merge, print_progress, rows)
        _save(args.output, rows.rows)
    return 0


def _sources(args: argparse.Namespace) -> "list[tuple[Path, Ict3drfeFace | None]]":
    """The photos, each with its item of ICT-3DRFE or None."""
    folder = getattr(args, "dataset", None)
    if folder is not None:
        from hffne.datasets import ict3drfe

        items = ict3drfe.find(folder, part=True)[: max(1, args.limit)]
        return [*((path, None) for path in args.photos), *((item.photo, item) for item in items)]
    if not args.photos:
        raise NoPhotosError("There is no photo to relight.", hint="Name photos, or --dataset DIR.")
    return [(path, None) for path in args.photos]


def _draw(
    args: argparse.Namespace, engine: "Engine", photo: "Photo", face: "Face", item: "Ict3drfeFace | None"
) -> "list[Row]":
    from hffne.figures import exemplar, relight, shading

    label = photo.path.stem
    if args.figure == "exemplar":
        return exemplar.rows(engine, photo, face, label)
    if args.figure == "shading":
        return shading.rows(engine, photo, face, label, not args.no_merge)
    lights: Sequence[Sequence[float]] = args.light or LIGHTS
    if not all(any(light) for light in lights):
        raise RequestError("A light's direction cannot be (0, 0, 0).", hint="For example: --light -1 0.5 1")
    if item is not None:
        return relight.dataset_rows(engine, photo, face, item, lights, not args.no_merge)
    return relight.rows(engine, photo, face, label, lights, not args.no_merge)


def _save(path: Path, rows: "list[Row]") -> None:
    from hffne.evaluation import contact_sheet

    contact_sheet.save(rows, path)
    print(path)
