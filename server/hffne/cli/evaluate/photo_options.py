# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that choose the photos to measure on, for wild, robustness, stability and scales."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from hffne.cli.options import engine_arguments, evenly_spaced, whole
from hffne.cli.report import engine_info, print_progress, write_report
from hffne.errors import HffneError, NoPhotosError


def add_photo_options(parser: argparse.ArgumentParser) -> None:
    """Add DIR, --held-out and --limit, the options that `chosen_photos` reads."""
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="photos, searched in subfolders too")
    parser.add_argument(
        "--held-out", type=Path, metavar="SET", help="only the photos that the training on this set holds out"
    )
    parser.add_argument("--limit", type=whole(), metavar="N", help="N photos, evenly spaced over all of them")


class PhotoBenchmark(Protocol):
    """A module of `hffne.evaluation` that measures photos one by one."""

    def evaluate(self, engine: Any, paths: list[Path], report: Callable[[str], object]) -> Any:
        """Measure the photos; report: called with progress."""

    def table(self, results: Any) -> str:
        """The results as Markdown."""

    def as_dict(self, results: Any) -> dict[str, Any]:
        """The results as plain data."""


def measure_photos(args: argparse.Namespace, benchmark: PhotoBenchmark) -> int:
    """Measure the chosen photos, print the table and write the report; returns the exit status."""
    from hffne.pipeline import Engine

    paths = chosen_photos(args)
    engine = Engine(**engine_arguments(args))
    results = benchmark.evaluate(engine, paths, print_progress)
    print(benchmark.table(results))
    write_report(args, {**benchmark.as_dict(results), **engine_info(engine)}, None)
    return 0


def chosen_photos(args: argparse.Namespace) -> list[Path]:
    """The photos of args.folder, args.held_out and args.limit. Raises HffneError when there are none."""
    from hffne.evaluation.wild import held_out
    from hffne.photo.formats import FORMAT_NAMES
    from hffne.photo.load import find_photos

    if args.folder is None and args.held_out is None:
        raise HffneError("There are no photos to measure on.", hint="Name a folder of photos, or --held-out SET.")
    paths = None
    if args.folder is not None:
        paths = find_photos(args.folder)
        if not paths:
            raise NoPhotosError(f"'{args.folder}' holds no photos.", hint=f"Photos can be {FORMAT_NAMES}.")
    if args.held_out is not None:
        paths = held_out(args.held_out, paths)
    return evenly_spaced(paths or [], args.limit)
