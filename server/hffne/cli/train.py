# SPDX-License-Identifier: GPL-3.0-or-later
"""``hffne train``: make the training set and train the compact networks."""

import os
from pathlib import Path

from . import train_published


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "train", help="train the networks from photos and a face model",
        description="Three steps: `data` fits the face model to the photos and renders the training set; `shape` trains "
                    "the position map and the coarse network; `pose` goes on with the position map alone, on more "
                    "profiles; `fine` trains the fine network on top. Each goes on where it was interrupted. See server/hffne/weights/MODEL_CARD.md for the shipped run.")
    parser.add_argument("step", choices=["data", "shape", "pose", "fine", *train_published.STEPS])
    parser.add_argument("--set", type=Path, required=True, dest="folder", metavar="DIR", help="the training set's folder")
    parser.add_argument("--output", type=Path, metavar="DIR", help="checkpoints, log and weights (default: SET/<step>)")
    parser.add_argument("--shapes", type=Path, metavar="DIR", help="data: folder of ict_facekit.npz (ICT-FaceKit, MIT)")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="data: any folder of face photos")
    parser.add_argument("--scan-normals", type=Path, metavar="FILE", help="data: a head scan's tangent-space normal map")
    parser.add_argument("--renders", type=int, default=7000, help="data: how many renders (default 7000)")
    parser.add_argument("--crops", type=int, default=2, help="data: crops of each photo (default 2)")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="data: processes")
    parser.add_argument("--steps", type=int, help="training steps (default: shape 4000, pose 3000, fine 3000)")
    parser.add_argument("--batch", type=int, help="batch size (default: shape and pose 16, fine 8)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")
    parser.add_argument("--full-precision", action="store_true", help="float32 throughout, not bfloat16")
    train_published.add_options(parser)
    parser.set_defaults(run=run)


def run(options):
    if options.step == "data":
        return _data(options)
    if options.step in train_published.STEPS:
        return train_published.run(options)
    import torch

    from ..training import loop, tasks
    from ..weights.store import load_weights

    if options.threads:
        torch.set_num_threads(options.threads)
    shared = {"seed": options.seed, "half": not options.full_precision}
    if options.step == "shape":
        loop.train([tasks.PositionTask(), tasks.CoarseTask()], options.folder, options.output or options.folder / "shape",
                   options.steps or 4000, options.batch or 16, **shared)
    elif options.step == "pose":
        task = tasks.PositionTask()
        load_weights(task.network, options.folder / "shape" / "prn.safetensors")
        task.learning_rate *= 0.7
        loop.train([task], options.folder, options.output or options.folder / "pose", options.steps or 3000,
                   options.batch or 16, photos=0.2, profiles=2.0, relief=0.0, quick=True, **shared)
    else:
        coarse = load_weights(tasks.CoarseNetwork(), options.folder / "shape" / "coarse.safetensors")
        loop.train([tasks.FineTask(coarse)], options.folder, options.output or options.folder / "fine",
                   options.steps or 3000, options.batch or 8, photos=0.5, **shared)
    return 0


def _data(options):
    if not options.shapes or not options.photos:
        print("train data needs --shapes and --photos; see --help")
        return 2
    from ..synthesis.build import build
    from ..synthesis.detail import build_reliefs

    build(options.shapes, options.photos, options.folder, options.renders, options.crops, options.seed, options.processes)
    if not (options.folder / "reliefs.npy").exists():
        build_reliefs(options.folder / "reliefs.npy", options.scan_normals, seed=options.seed)
    return 0
