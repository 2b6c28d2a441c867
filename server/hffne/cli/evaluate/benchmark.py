# SPDX-License-Identifier: GPL-3.0-or-later
"""Common parts of the benchmarks of normals (yaleb, photoface, florence), for `hffne evaluate` and `hffne figure`."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hffne.cli.options import Subparsers, add_engine_options, engine_arguments, evenly_spaced, whole
from hffne.cli.report import add_report_options, engine_info, print_progress, sheet_collector, write_report
from hffne.errors import RequestError

if TYPE_CHECKING:
    from hffne.evaluation.ground_truth import FaceResult
    from hffne.evaluation.normal_files import NormalFiles
    from hffne.pipeline import Engine

_COUNTED_PIXELS = (
    "Pixels outside of our own face mask count too, with the coarse network's normal; pixels outside of the "
    "crop, and photos without a detected face, count as flat."
)


@dataclass(frozen=True)
class Benchmark:
    """A benchmark that is ready to be measured.

    items      what is measured; all files are checked
    evaluate   (engine, items, merged, report, rows) -> (results, names of the items that were left out)
    as_dict    results -> the report as plain data
    seen       (note of a training's split, items) -> how many of the items it was trained on, or None where that cannot
               be told
    name_of    a photo's path -> the name of its file in the folder of --normals
    """

    items: Sequence[Any]
    evaluate: Callable[..., "tuple[list[FaceResult], list[str]]"]
    as_dict: Callable[["list[FaceResult]"], dict[str, Any]]
    seen: Callable[[str, Sequence[Any]], int | None] = lambda note, items: 0
    name_of: Callable[[Path], str] = lambda path: path.stem

    def limited(self, count: int | None) -> "Benchmark":
        """The same with only `count` items, evenly spaced over all of them; None: all."""
        return replace(self, items=evenly_spaced(self.items, count))


def add_benchmark_parser(
    subparsers: Subparsers,
    name: str,
    title: str,
    description: str,
    open_benchmark: Callable[[argparse.Namespace], Benchmark],
) -> argparse.ArgumentParser:
    """The parser of a benchmark, without options; args.open_benchmark(args) then gives its Benchmark."""
    parser = subparsers.add_parser(name, help=title, description=f"{description} {_COUNTED_PIXELS}")
    parser.set_defaults(benchmark=name, open_benchmark=open_benchmark)
    return parser


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all benchmarks have."""
    add_merge_option(parser)
    parser.add_argument(
        "--normals",
        type=Path,
        metavar="DIR",
        help="measure these normals instead of the engine's: DIR/NAME.npz or .png for each photo (docs/evaluation.md)",
    )
    add_engine_options(parser)


def add_merge_option(parser: argparse.ArgumentParser) -> None:
    """Add --no-merge."""
    parser.add_argument("--no-merge", action="store_true", help="the fine network's normals alone, the paper's N")


def add_part_option(parser: argparse.ArgumentParser) -> None:
    """Add --part."""
    parser.add_argument("--part", action="store_true", help="accept an incomplete copy of the data set")


def add_limit_option(parser: argparse.ArgumentParser) -> None:
    """Add --limit."""
    parser.add_argument(
        "--limit", type=whole(), metavar="N", help="measure only N items, evenly spaced over all of them"
    )


def make_evaluation(parser: argparse.ArgumentParser) -> None:
    """Make a parser of `add_benchmark_parser` a command of `hffne evaluate`."""
    add_limit_option(parser)
    parser.add_argument(
        "--seen", action="store_true", help="also measure what the networks of --weights were trained on"
    )
    add_report_options(parser)
    parser.set_defaults(run=run)


def chosen_engine(args: argparse.Namespace, benchmark: Benchmark) -> "Engine | NormalFiles":
    """The engine of the options, or what takes its place with --normals. Raises HffneError."""
    if args.normals is None:
        from hffne.pipeline import Engine

        return Engine(**engine_arguments(args))
    from hffne.evaluation.normal_files import NormalFiles

    ignored = [name for name in ("weights", "coarse", "stochastic", "no_merge") if getattr(args, name)]
    if ignored:
        raise RequestError(
            f"--{ignored[0].replace('_', '-')} says nothing of the normals in '{args.normals}'.",
            hint="Leave it or --normals out.",
        )
    if not args.normals.is_dir():
        raise RequestError(f"There is no folder '{args.normals}'.", hint="Name the folder of the normals.")
    return NormalFiles(args.normals, benchmark.name_of)


def check_unseen(engine: "Engine | NormalFiles", benchmark: Benchmark, told: bool) -> None:
    """Refuse to measure networks on what they were trained on, unless `told` to. Raises RequestError."""
    for file in engine.trained.values():
        note = file.notes.get("input_split", "")
        if told or not note:
            continue
        count = benchmark.seen(note, benchmark.items)
        if count is None:
            raise RequestError(
                f"'{file.path.name}' was trained on another copy of this data set: it cannot be told on what of it.",
                hint="Give --seen to measure all the same.",
            )
        if count:
            raise RequestError(
                f"'{file.path.name}' was trained on {count} of the {len(benchmark.items)} items to be measured.",
                hint="Give the --seed, --share and --by of the training (`hffne weights show`), or --seen.",
            )


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables and write the report; returns the exit status."""
    from hffne.evaluation import ground_truth

    benchmark = args.open_benchmark(args).limited(args.limit)
    rows = sheet_collector(args)
    engine = chosen_engine(args, benchmark)
    check_unseen(engine, benchmark, args.seen)
    results, left_out = benchmark.evaluate(engine, benchmark.items, not args.no_merge, print_progress, rows)
    print(ground_truth.table(results))
    if left_out:
        print(f"\n{len(left_out)} left out: {', '.join(left_out[:10])}{' ...' if len(left_out) > 10 else ''}")
    report = {**benchmark.as_dict(results), "left_out": left_out, "merge": not args.no_merge, **engine_info(engine)}
    write_report(args, report, rows.rows if rows else None)
    return 0
