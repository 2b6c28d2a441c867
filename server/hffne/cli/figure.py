# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne figure`: the paper's figures, from your own photos and data, as contact sheets."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hffne.cli.evaluate import florence, photoface, yaleb
from hffne.cli.evaluate.benchmark import add_limit_option, add_merge_option, chosen_engine
from hffne.cli.options import Subparsers, add_engine_options, engine_arguments, evenly_spaced, number, whole
from hffne.cli.report import print_error, print_progress
from hffne.errors import HffneError, NoPhotosError, RequestError

if TYPE_CHECKING:
    import numpy as np

    from hffne.datasets.ict3drfe import Ict3drfeFace
    from hffne.evaluation.contact_sheet import Row
    from hffne.photo.detect import Face
    from hffne.photo.load import Photo
    from hffne.pipeline import Engine

LIGHTS = ((-0.8, 0.3, 0.5), (0.8, 0.3, 0.5))  # of relight without --light; toward the light, camera space
_PHOTO_FIGURES = {
    "compare": "others' normals, read from files, beside ours (Figure 5)",
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
        if name == "compare":
            figure.add_argument(
                "--normals",
                type=_named_folder,
                action="append",
                required=True,
                metavar="NAME=DIR",
                help="the normals of a method: DIR/STEM.npz or .png for each photo; repeat for more methods",
            )
        _add_output(figure)
        add_engine_options(figure)
        figure.set_defaults(run=run_photos)
    text = "faces of many kinds, a row for each group of photos (Figure 10)"
    figure = figures.add_parser("groups", help=text, description=_sentence(text))
    figure.add_argument(
        "groups", nargs="+", type=_named_folder, metavar="NAME=DIR", help="a group, for example an age, and its photos"
    )
    figure.add_argument("--count", type=whole(), default=4, metavar="N", help="faces of each group (default: 4)")
    add_merge_option(figure)
    _add_output(figure)
    add_engine_options(figure)
    figure.set_defaults(run=run_groups)
    text = "normals and their error maps on a benchmark (Figure 6)"
    for parser in _add_benchmarks(figures.add_parser("errors", help=text, description=_sentence(text))):
        parser.add_argument("--count", type=whole(), default=6, metavar="N", help="measure N, evenly spaced over all")
    text = "the worst faces of a benchmark with their error maps (Figure 11)"
    for parser in _add_benchmarks(figures.add_parser("failures", help=text, description=_sentence(text))):
        parser.add_argument("--count", type=whole(), default=8, metavar="N", help="show the N worst")
        add_limit_option(parser)


def _add_relight_options(figure: argparse.ArgumentParser) -> None:
    figure.add_argument("--dataset", type=Path, metavar="DIR", help="ICT-3DRFE: its albedo and its true normals")
    figure.add_argument(
        "--light",
        type=number(-1e9, 1e9),
        nargs=3,
        action="append",
        metavar=("X", "Y", "Z"),
        help="direction toward the target light: right, up, toward the viewer; repeat for more lights",
    )
    figure.add_argument("--limit", type=whole(), default=8, metavar="N", help="faces of the data set (default: 8)")


def _add_benchmarks(figure: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    benchmarks = figure.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    parsers = [module.add_benchmark(benchmarks) for module in (yaleb, photoface, florence)]
    for parser in parsers:
        _add_output(parser)
        parser.set_defaults(run=run_benchmark)
    return parsers


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the picture to write (PNG)")


def _named_folder(text: str) -> tuple[str, Path]:
    """The type of NAME=DIR. Raises argparse.ArgumentTypeError."""
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=DIR")
    if not Path(folder).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder '{folder}'")
    return name, Path(folder)


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


def run_groups(args: argparse.Namespace) -> int:
    """Draw the figure of groups; returns the exit status.

    A photo with an error, for example without a face, is reported, and another of its group takes its place.
    """
    from hffne.figures import groups
    from hffne.output import output_folder
    from hffne.photo.detect import choose_faces, find_faces
    from hffne.photo.load import find_photos, load_photo
    from hffne.pipeline import Engine

    rows: list[Row] = []
    engine = None
    with output_folder(args.output.parent):
        for name, folder in args.groups:
            photos = find_photos(folder)
            if not photos:
                raise NoPhotosError(f"'{folder}' holds no photos.")
            # The evenly spaced ones first.
            order = dict.fromkeys([*evenly_spaced(photos, args.count), *photos])
            tiles: list[tuple[str, np.ndarray]] = []
            for path in order:
                try:
                    photo = load_photo(path)
                    face = choose_faces(find_faces(photo), "largest", path)[0][1]
                    engine = engine or Engine(**engine_arguments(args))
                    tiles += groups.tiles(engine, photo, face, not args.no_merge)
                except HffneError as error:
                    print_error(error)
                if len(tiles) == 2 * args.count:
                    break
            if not tiles:
                raise NoPhotosError(f"No photo in '{folder}' shows a face.")
            rows.append((name, tiles))
        _save(args.output, rows)
    return 0


def run_benchmark(args: argparse.Namespace) -> int:
    """Draw a figure of a benchmark; returns the exit status."""
    from hffne.figures.errors import ErrorMaps, Failures
    from hffne.output import output_folder

    count = args.count
    rows = ErrorMaps() if args.figure == "errors" else Failures(count)
    benchmark = args.open_benchmark(args).limited(count if args.figure == "errors" else args.limit)
    with output_folder(args.output.parent):
        engine = chosen_engine(args, benchmark)
        benchmark.evaluate(engine, benchmark.items, not args.no_merge, print_progress, rows)
        _save(args.output, rows.rows)
    return 0


def _sources(args: argparse.Namespace) -> "list[tuple[Path, Ict3drfeFace | None]]":
    """The photos, each with its item of ICT-3DRFE or None."""
    folder = getattr(args, "dataset", None)
    if folder is not None:
        from hffne.datasets import ict3drfe

        items = ict3drfe.find(folder, part=True)[: args.limit]
        return [*((path, None) for path in args.photos), *((item.photo, item) for item in items)]
    if not args.photos:
        raise NoPhotosError("There is no photo to relight.", hint="Name photos, or --dataset DIR.")
    return [(path, None) for path in args.photos]


def _draw(
    args: argparse.Namespace, engine: "Engine", photo: "Photo", face: "Face", item: "Ict3drfeFace | None"
) -> "list[Row]":
    from hffne.figures import compare, exemplar, relight, shading

    label = photo.path.stem
    if args.figure == "compare":
        return compare.rows(engine, photo, face, label, dict(args.normals))
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
