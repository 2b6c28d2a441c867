# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiny trainings of lit balls; as a script, on so many processes: FOLDER TASK PROCESSES STEPS."""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from hffne.training import loop, recipe
from hffne.training.tasks.coarse import CoarseTask
from hffne.training.tasks.feature import FeatureTask
from hffne.training.tasks.fine import FineTask
from hffne.training.tasks.paper_coarse import PaperCoarse, coarse_network
from hffne.training.tasks.paper_fine import PaperFine
from hffne.training.tasks.parsing import ParsingTask
from hffne.training.tasks.prn import PositionTask
from hffne.training.tasks.shading import ShadingTask

SIZE = 64
OFTEN = {"every.log": 1, "every.check": 2, "every.check_batches": 1, "every.picture": 100, "every.save": 100}


class Balls:
    """Lit balls with their normals; from sample `broken` on, pictures that are not finite."""

    def __init__(self, broken=None):
        self.broken, self.drawn = broken, 0

    def draw(self, rng):
        y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32) / SIZE * 2 - 1
        x, y = (x - rng.uniform(-0.2, 0.2)) / 0.7, -(y - rng.uniform(-0.2, 0.2)) / 0.7
        mask = x**2 + y**2 < 1
        normal = np.stack([x, y, np.sqrt(np.clip(1 - x**2 - y**2, 0, None))]) * mask
        light = rng.normal(0, 0.5, 3) + np.array([0, 0, 1.5])
        gray = np.clip(np.tensordot(light / np.linalg.norm(light), normal, 1), 0, 1)
        self.drawn += 1
        if self.broken is not None and self.drawn > self.broken:
            gray = gray * np.nan
        return [
            {
                name: torch.from_numpy(part.astype(np.float32))
                for name, part in (("gray", gray[None]), ("normal", normal), ("weight", mask))
            }
        ]

    def fingerprint(self):
        return "balls"


def vgg_file(path, seed=0):
    """VGG19's first layers with random weights."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"0.weight": (64, 3, 3, 3), "0.bias": (64,), "2.weight": (64, 64, 3, 3), "2.bias": (64,)}
    state = {f"features.{name}": torch.randn(*s, generator=generator) * 0.1 for name, s in shapes.items()}
    torch.save(state, path)
    return path


def tiny_recipe(task, name="compact", **changes):
    """A built-in recipe at the smallest size; changes by their last keys, e.g. learning_rate=0.5."""
    size = {"prn": 128}.get(task, SIZE)
    tiny = recipe.read_recipe(name, task).changed(
        {"size": size, "batch": 4, "micro_batch": 2, "precision": "32-true", **OFTEN}
        | ({"settings.patch": 32} if task == "fine" else {})
    )
    tables = {"learning_rate": "optimizer.", "architecture": "settings.", "exemplar": "settings.", "save": "every."}
    return tiny.changed({tables.get(key, "") + key: value for key, value in changes.items()}) if changes else tiny


def make_task(tiny):
    """The task of a tiny recipe; what needs a coarse network has an untrained one."""
    coarse = partial(coarse_network, tiny)
    return {
        "prn": lambda: PositionTask(tiny.settings),
        "coarse": lambda: CoarseTask(tiny.settings, tiny.size),
        "fine": lambda: FineTask(tiny.settings),
        "parsing": lambda: ParsingTask(tiny.settings),
        "shading": lambda: ShadingTask(tiny.settings),
        "eyes": lambda: FeatureTask(tiny.settings),
        "mouth": lambda: FeatureTask(tiny.settings, "mouth"),
        "paper-coarse": lambda: PaperCoarse(tiny),
        "paper-fine": lambda: PaperFine(tiny, coarse()),
    }[tiny.task]()


def run(folder, tiny, source, processes=1, **options):
    """A training on CPUs, with one thread."""
    torch.set_num_threads(1)
    fabric = Fabric(
        accelerator="cpu",
        devices=processes,
        precision=tiny.precision,
        strategy="ddp" if processes > 1 else "auto",
    )
    fabric.launch()
    options = {"report": lambda _: None} | options
    return loop.train(fabric, partial(make_task, tiny), tiny, source, Path(folder), **options)


def train(folder, task, processes, steps, source=None, **changes):
    """A tiny training of one of the published stages."""
    return run(folder, tiny_recipe(task, steps=steps, **changes), source or Balls(), processes)


if __name__ == "__main__":
    train(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
