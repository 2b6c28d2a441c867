# SPDX-License-Identifier: GPL-3.0-or-later
"""``hffne train``: make the training set and train the compact networks."""

import os
from pathlib import Path

from hffne.cli.train import paper

# Steps, batch size and how samples are drawn (training.dataset.FaceSamples).
_RECIPE = {
    "prn": (6000, 32, {"photos": 0.45, "profiles": 4.0, "relief": 0.0, "quick": True}),
    "coarse": (6000, 16, {"photos": 0.25, "antithetic": True, "studios": 0.4}),
    "fine": (3500, 8, {"photos": 0.35, "moves": 0.4}),
}


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "train",
        help="train the networks from photos and a face model",
        description="Four steps: `data` fits the face model to the photos and makes the training set; `prn` trains the "
        "position map network, `coarse` the exemplar's, and `fine` the fine network on top of it. Each goes "
        "on where it was interrupted. See server/hffne/weights/MODEL_CARD.md for the shipped run.",
    )
    parser.add_argument("step", choices=["data", "prn", "coarse", "fine", *paper.STEPS])
    parser.add_argument(
        "--set", type=Path, required=True, dest="folder", metavar="DIR", help="the training set's folder"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="checkpoints, log and weights (default: SET/<step>)")
    parser.add_argument("--shapes", type=Path, metavar="DIR", help="data: folder of ict_facekit.npz (ICT-FaceKit, MIT)")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="data: any folder of face photos")
    parser.add_argument(
        "--scan-normals", type=Path, metavar="FILE", help="data: a head scan's tangent-space normal map"
    )
    parser.add_argument("--renders", type=int, default=8000, help="data: how many renders (default 8000)")
    parser.add_argument("--crops", type=int, default=2, help="data: crops of each photo (default 2)")
    parser.add_argument(
        "--turns", type=int, default=2, help="data: crops of each photo with the head turned (default 2)"
    )
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="data: processes")
    parser.add_argument("--steps", type=int, help="training steps (default: prn 6000, coarse 6000, fine 3500)")
    parser.add_argument("--batch", type=int, help="batch size (default: prn 32, coarse 16, fine 8)")
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        help="prn, coarse, fine: weights to begin from, at half the learning rate; a coarse network of half "
        "the size grows",
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="prn, coarse, fine: share of that learning rate (default 1)",
    )
    parser.add_argument(
        "--coarse",
        type=Path,
        metavar="FILE",
        help="fine: the coarse network's weights (default: SET/coarse/coarse.safetensors)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")
    parser.add_argument(
        "--full-precision", action="store_true", help="float32 throughout, not bfloat16 where the CPU is quick in it"
    )
    paper.add_options(parser)
    parser.set_defaults(run=run)


def run(options):
    if options.step == "data":
        return _data(options)
    if options.step in paper.STEPS:
        return paper.run(options)
    import torch

    from hffne.training import loop, tasks
    from hffne.training.start import start
    from hffne.weights.store import load_weights

    if options.threads:
        torch.set_num_threads(options.threads)
    if options.step == "fine":
        coarse = options.coarse or options.folder / "coarse" / "coarse.safetensors"
        task = tasks.FineTask(load_weights(tasks.CoarseNetwork(), coarse))
    else:
        task = {"prn": tasks.PositionTask, "coarse": tasks.CoarseTask}[options.step]()
    if options.start:
        start(task.network, options.start)
        task.learning_rate /= 2
    task.learning_rate *= options.rate
    steps, batch, drawing = _RECIPE[options.step]
    loop.train(
        [task],
        options.folder,
        options.output or options.folder / options.step,
        options.steps or steps,
        options.batch or batch,
        seed=options.seed,
        half=not options.full_precision,
        **drawing,
    )
    return 0


def _data(options):
    if not options.shapes or not options.photos:
        print("train data needs --shapes and --photos; see --help")
        return 2
    from hffne.synthesis.build import build
    from hffne.synthesis.relief_maps import build_forms, build_reliefs

    build(
        options.shapes,
        options.photos,
        options.folder,
        options.renders,
        options.crops,
        options.turns,
        options.seed,
        options.processes,
    )
    if not (options.folder / "reliefs.npy").exists():
        build_reliefs(options.folder / "reliefs.npy", options.scan_normals, seed=options.seed)
    if not (options.folder / "form_pairs.npy").exists():
        build_forms(options.folder / "form_pairs.npy", seed=options.seed)
    return 0
