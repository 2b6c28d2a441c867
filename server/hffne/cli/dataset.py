# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne dataset`: what to download for a data set of the paper, where to put it, and whether it is all there."""

from pathlib import Path


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "dataset",
        help="what to download for a data set, and whether it is all there",
        description="Without a name: the data sets. With a name: what to download and how it must lie on disk. With "
        "a folder too: whether all of it is there; half a data set is an error that names what is missing.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="the data set, see the list")
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="check this folder")
    parser.add_argument("--part", action="store_true", help="a part of the items will do, whole in themselves")
    parser.set_defaults(run=run)


def run(args):
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
    print(f"{module.SOURCE.title}: {len(items)} items in '{args.folder}', none of them lacks a file.")
    return 0
