# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne evaluate`: measurements on benchmarks and photos, as a table and as JSON. One file a benchmark."""

from hffne.cli.evaluate import (
    aflw2000,
    albedo,
    fine,
    florence,
    heads,
    parsing,
    photoface,
    proportions,
    response,
    rig,
    robustness,
    scales,
    stability,
    wild,
    yaleb,
)
from hffne.cli.options import Subparsers

# In the order of `hffne evaluate --help`. Each module has add_parser(benchmarks).
BENCHMARKS = (
    aflw2000,
    proportions,
    yaleb,
    photoface,
    florence,
    wild,
    robustness,
    response,
    heads,
    parsing,
    albedo,
    rig,
    fine,
    stability,
    scales,
)


def add_parser(subparsers: Subparsers) -> None:
    """Add the command and one sub-command for each benchmark."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure the normals and the landmarks on a benchmark",
        description="Run the whole pipeline on a benchmark's photos and print its metrics as a table.",
    )
    benchmarks = parser.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    for module in BENCHMARKS:
        module.add_parser(benchmarks)
