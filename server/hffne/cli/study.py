# SPDX-License-Identifier: GPL-3.0-or-later
"""`hffne study`: the paper's ablations, trained and measured at a scale of one's choice."""

from pathlib import Path


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "study",
        help="train and measure the paper's ablations (Table 3, Figures 8 and 9)",
        description="Trains stage 1 once and a stage 2 for each row, all with the same budget, and measures them on "
        "held-out renders and, with --yaleb, on photos of another world. Writes <study>.md, .json and .png. "
        "Goes on where it was interrupted; the studies share what they have in common. See docs/study.md.",
    )
    parser.add_argument("study", choices=["initialization", "architecture", "modulation"])
    parser.add_argument(
        "--set", type=Path, required=True, dest="folder", metavar="DIR", help="a set of `hffne train data`"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="networks, tables and pictures")
    parser.add_argument("--yaleb", type=Path, metavar="DIR", help="Extended Yale B, to measure out of domain")
    parser.add_argument("--config", default="study", metavar="FILE|paper|compact|study", help="(default: %(default)s)")
    parser.add_argument("--size", type=int, help="the crop in pixels (default: the configuration's)")
    parser.add_argument("--coarse-steps", type=int, help="of stage 1 (default: the configuration's)")
    parser.add_argument("--fine-steps", type=int, help="of each stage 2 (default: the configuration's)")
    parser.add_argument("--faces", type=int, default=60, help="renders to measure on (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--accelerator", default="auto", help="cpu, cuda, mps or auto (Lightning Fabric)")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw samples")
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")
    parser.set_defaults(run=run)


def run(args):
    import torch

    from hffne.cli.train.paper import make_fabric
    from hffne.evaluation import contact_sheet
    from hffne.experiments import study
    from hffne.output import output_folder, write_files

    if args.threads:
        torch.set_num_threads(args.threads)
    config = study.study_config(args.config, args.size, args.coarse_steps, args.fine_steps)
    engine, items = None, []
    if args.yaleb:
        from hffne.datasets import yaleb
        from hffne.pipeline import Engine

        items = yaleb.find(args.yaleb, part=True)
        engine = Engine(device="cpu")
    fabric = make_fabric(args.accelerator, "1", 1, config["precision"])
    with output_folder(args.output) as folder:
        data, rows = study.run_study(
            fabric, args.study, args.folder, folder, config, engine, items, args.faces, args.seed, args.workers
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
