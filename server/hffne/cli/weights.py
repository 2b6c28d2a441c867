# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne weights`: import the published checkpoints, average trained weights, list and describe files of weights."""

import argparse
from pathlib import Path

from hffne.cli.options import number


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "weights",
        help="import the published checkpoints, average trained weights, describe a file",
        description="`import` reads the published HFFNE checkpoints (research use only) for `--model paper`; `average` "
        "joins the weights of a network before and after it was trained on; `list` prints which weights are "
        "installed and where; `show` prints how a file was trained.",
    )
    verbs = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    take = verbs.add_parser("import", help="check the two checkpoints and keep them as safetensors")
    take.add_argument("--exemplar", type=Path, required=True, metavar="FILE", help="ExemplarModel.pkl")
    take.add_argument("--refiner", type=Path, required=True, metavar="FILE", help="RefinerModel.pt")
    take.set_defaults(run=run_import)
    mean = verbs.add_parser("average", help="the mean of two files of one network, as `hffne train` writes them")
    mean.add_argument("first", type=Path, metavar="FILE", help="the weights that the training began with")
    mean.add_argument("second", type=Path, metavar="FILE", help="the weights that resulted")
    mean.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="where the mean is written")
    mean.add_argument(
        "--share", type=number(0, 1), default=0.5, metavar="F", help="of the second, 0 to 1 (default: %(default)s)"
    )
    mean.set_defaults(run=run_average)
    verbs.add_parser("list", help="which weights are installed").set_defaults(run=run_list)
    show = verbs.add_parser("show", help="how a file was trained: task, recipe, seed, data, commit")
    show.add_argument("file", type=Path, metavar="FILE", help="a safetensors file")
    show.add_argument(
        "--recipe", action="store_true", help="print the recipe only, as a file for `hffne train --recipe`"
    )
    show.set_defaults(run=run_show)


def run_import(args: argparse.Namespace) -> int:
    """Import the published checkpoints; returns the exit code."""
    from hffne.weights.paper import LICENSE, import_paper_weights

    for path in import_paper_weights(args.exemplar, args.refiner):
        print(f"wrote {path}")
    print(LICENSE)
    return 0


def run_average(args: argparse.Namespace) -> int:
    """Write the mean of two files; returns the exit code."""
    from hffne.weights.average import average

    print(f"wrote {average(args.first, args.second, args.output, args.share)}")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print the notes of a file; returns the exit code."""
    import json

    from hffne.errors import WeightsError
    from hffne.weights.notes import read_notes

    notes = read_notes(args.file)
    recipe = notes.pop("recipe", None)
    recipe = json.dumps(json.loads(recipe), indent=2) if recipe else None
    if args.recipe:
        if recipe is None:
            raise WeightsError(f"'{args.file}' has no recipe.", hint="It was written before recipes existed.")
        print(recipe)
        return 0
    for name, value in notes.items():
        print(f"{name}: {value}")
    print(f"recipe: {recipe}" if recipe else "recipe: none (written before recipes existed)")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """Print which weights are installed; returns the exit code."""
    from hffne.weights.paper import paper_weights_folder
    from hffne.weights.store import FOLDER

    for model, folder, pattern in (
        ("compact", FOLDER, "*.safetensors"),
        ("paper", paper_weights_folder(), "paper_*.safetensors"),
    ):
        files = sorted(folder.glob(pattern)) if folder.is_dir() else []
        print(f"{model}: " + (", ".join(str(f) for f in files) if files else f"nothing in {folder}"))
    return 0
