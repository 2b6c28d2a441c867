# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne study`: the paper's ablations, trained and measured at a scale of one's choice."""

import argparse
from pathlib import Path

from hffne.cli.options import whole


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "study",
        help="train and measure the paper's ablations (Table 3, Figures 8 and 9)",
        description="Trains stage 1 once and a stage 2 for each row, all with the same budget, and measures them on "
        "held-out renders and, with --yaleb, on photos of another kind. Writes <study>.md, .json and .png. "
        "An interrupted study is resumed; the studies share what they have in common. See docs/study.md.",
    )
    parser.add_argument("study", choices=["initialization", "architecture", "modulation", "exemplar", "perceptual"])
    parser.add_argument("--set", type=Path, dest="folder", metavar="DIR", help="a set of `hffne train data`")
    parser.add_argument(
        "--photoface", type=Path, metavar="DIR", help="Photoface instead of the set, as in Table 3: 20 % are held out"
    )
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="photos for stage 2, some of them shown, as in Figures 8 and 9"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="networks, tables and pictures")
    parser.add_argument(
        "--vgg", type=Path, metavar="FILE", help="VGG19's weights for relu1_2, for the study perceptual"
    )
    parser.add_argument("--yaleb", type=Path, metavar="DIR", help="Extended Yale B, to measure out of domain")
    parser.add_argument(
        "--recipe",
        "--config",
        default="study",
        metavar="FILE|paper|compact|study",
        help="a recipe with both stages (default: %(default)s)",
    )
    parser.add_argument("--size", type=whole(), help="the crop in pixels (default: the recipe's)")
    parser.add_argument("--coarse-steps", type=whole(), help="of stage 1 (default: the recipe's)")
    parser.add_argument("--fine-steps", type=whole(), help="of each stage 2 (default: the recipe's)")
    parser.add_argument("--faces", type=whole(), default=60, help="renders to measure on (default: %(default)s)")
    parser.add_argument("--seed", type=whole(0), default=0)
    parser.add_argument("--accelerator", default="auto", help="cpu, cuda, mps or auto (Lightning Fabric)")
    parser.add_argument("--workers", type=whole(0, 1024), default=0, help="processes that draw samples")
    parser.add_argument("--threads", type=whole(1, 1024), help="torch threads (default: torch's own)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the study; returns the exit code."""
    import torch

    from hffne.datasets import yaleb
    from hffne.evaluation import contact_sheet
    from hffne.experiments import study
    from hffne.output import output_folder, write_files
    from hffne.training.fabric import make_fabric

    if args.threads:
        torch.set_num_threads(args.threads)
    budget = study.budget(args.recipe, args.size, args.coarse_steps, args.fine_steps, args.seed, args.workers)
    source = study.study_data(args.folder, budget, args.photoface, args.photos)
    engine = None
    items: list[yaleb.YalePhoto] = []
    if args.yaleb:
        from hffne.pipeline import Engine

        items = yaleb.find(args.yaleb, part=True)
        engine = Engine(device="cpu")
    fabric = make_fabric(args.accelerator, precision=budget.coarse.precision)
    with output_folder(args.output) as folder:
        data, rows = study.run_study(
            fabric, args.study, source, folder, budget, engine, items, args.faces, vgg=args.vgg
        )
        text = study.table(data)
        write_files(
            {
                folder / f"{args.study}.md": lambda file: file.write(text.encode()),
                folder / f"{args.study}.json": lambda file: file.write(study.as_json(data)),
            }
        )
        contact_sheet.save(rows, folder / f"{args.study}.png")
    print(text)
    return 0
