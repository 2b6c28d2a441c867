# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny run of the published training; as a script, on as many processes as it is told: FOLDER STAGE PROCESSES STEPS."""

import sys
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from hffne.training.paper import config, run, stages

SIZE = 64


class Balls:
    """Lit balls with their normals; from sample `broken` on, pictures that are no numbers."""

    def __init__(self, broken=None):
        self.broken, self.drawn = broken, 0

    def sample(self, rng):
        y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32) / SIZE * 2 - 1
        x, y = (x - rng.uniform(-0.2, 0.2)) / 0.7, -(y - rng.uniform(-0.2, 0.2)) / 0.7
        mask = x**2 + y**2 < 1
        normal = np.stack([x, y, np.sqrt(np.clip(1 - x**2 - y**2, 0, None))]) * mask
        light = rng.normal(0, 0.5, 3) + np.array([0, 0, 1.5])
        gray = np.clip(np.tensordot(light / np.linalg.norm(light), normal, 1), 0, 1)
        self.drawn += 1
        if self.broken is not None and self.drawn > self.broken:
            gray = gray * np.nan
        return {
            name: torch.from_numpy(part.astype(np.float32))
            for name, part in (("gray", gray[None]), ("normal", normal), ("weight", mask))
        }


def tiny_config(**changes):
    tiny = (
        config.read_config("compact")
        | {"size": SIZE, "batch": 4, "micro_batch": 2, "log_every": 1, "picture_every": 100, "save_every": 100}
        | changes
    )
    return config.checked(tiny)


def train(folder, stage, processes, steps, source=None, **changes):
    torch.set_num_threads(1)
    settings = tiny_config(**changes)
    fabric = Fabric(
        accelerator="cpu",
        devices=processes,
        precision=settings["precision"],
        strategy="ddp" if processes > 1 else "auto",
    )
    fabric.launch()
    torch.manual_seed(0)
    made = (
        stages.CoarseStage(settings)
        if stage == "coarse"
        else stages.FineStage(settings, stages.coarse_network(settings))
    )
    return run.train(fabric, made, source or Balls(), settings, Path(folder), steps=steps, report=lambda _: None)


if __name__ == "__main__":
    train(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
