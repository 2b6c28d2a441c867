# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne weights`: take the published checkpoints, average trained ones, and tell what is there."""

from pathlib import Path


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "weights",
        help="import the published checkpoints, average trained weights",
        description="`import` reads the published HFFNE checkpoints (research use only) for `--model paper`; `average` "
        "joins the weights of a network before and after it was trained on; `list` tells which weights are "
        "there and where.",
    )
    verbs = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    take = verbs.add_parser("import", help="check the two checkpoints and keep them as safetensors")
    take.add_argument("--exemplar", type=Path, required=True, metavar="FILE", help="ExemplarModel.pkl")
    take.add_argument("--refiner", type=Path, required=True, metavar="FILE", help="RefinerModel.pt")
    take.set_defaults(run=run_import)
    mean = verbs.add_parser("average", help="the mean of two files of one network, as `hffne train` writes them")
    mean.add_argument("first", type=Path, metavar="FILE", help="the weights that the training began with")
    mean.add_argument("second", type=Path, metavar="FILE", help="the weights that it made of them")
    mean.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="where the mean is written")
    mean.add_argument(
        "--share", type=_share, default=0.5, metavar="F", help="of the second, 0 to 1 (default: %(default)s)"
    )
    mean.set_defaults(run=run_average)
    verbs.add_parser("list", help="which weights are there").set_defaults(run=run_list)


def run_import(args):
    from hffne.weights.paper import LICENSE, import_official

    for path in import_official(args.exemplar, args.refiner):
        print(f"wrote {path}")
    print(LICENSE)
    return 0


def _share(text):
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError
    return value


def run_average(args):
    from hffne.weights.average import average

    print(f"wrote {average(args.first, args.second, args.output, args.share)}")
    return 0


def run_list(args):
    from hffne.weights.paper import official_folder
    from hffne.weights.store import FOLDER

    for model, folder, pattern in (
        ("compact", FOLDER, "*.safetensors"),
        ("paper", official_folder(), "paper_*.safetensors"),
    ):
        files = sorted(folder.glob(pattern)) if folder.is_dir() else []
        print(f"{model}: " + (", ".join(str(f) for f in files) if files else f"nothing in {folder}"))
    return 0
