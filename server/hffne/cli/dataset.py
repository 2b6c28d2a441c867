# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne dataset`: what to download for a data set of the paper, its folder layout, and whether a copy is complete."""

import argparse
from pathlib import Path

from hffne.cli.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the command and its options."""
    parser = subparsers.add_parser(
        "dataset",
        help="what to download for a data set, and whether a copy is complete",
        description="Without a name: the list of the data sets. With a name: what to download and the folder layout. "
        "With a folder too: check that the copy in it is complete; an incomplete copy is an error that names the "
        "missing files.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="the data set, one of the list")
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="check this folder")
    parser.add_argument(
        "--part", action="store_true", help="accept fewer items than the data set has; each must be complete"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List the data sets, describe one, or check a folder; returns the exit status."""
    from hffne import datasets
    from hffne.errors import DatasetMissingError

    if args.name is None:
        for name in datasets.NAMES:
            source = datasets.dataset(name).SOURCE
            print(f"{name:10}  {source.title}: {source.content}")
        return 0
    if args.name not in datasets.NAMES:
        raise DatasetMissingError(
            f"There is no data set '{args.name}'.", hint=f"Known are: {', '.join(datasets.NAMES)}."
        )
    module = datasets.dataset(args.name)
    if args.folder is None:
        print(module.SOURCE.text())
        return 0
    items = module.find(args.folder, part=args.part)
    print(f"{module.SOURCE.title}: {len(items)} items in '{args.folder}', all of them complete.")
    return 0
