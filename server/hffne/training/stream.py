# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered micro batches: the same number is the same batch in every run, on every process, whenever it is drawn.

So a resumed run draws the same samples as one that was not interrupted, and no state has to be stored.
"""

import signal
from collections.abc import Iterator, Sequence

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from hffne.training.seeding import draw_generator
from hffne.training.sources import Sample, SampleSource


class MicroBatches(Dataset[Sample]):
    """Micro batches of a source, each drawn by (seed, number) alone, its samples stacked."""

    def __init__(self, source: SampleSource, seed: int, size: int, numbers: Sequence[int]):
        """size: samples a micro batch. numbers: those of the micro batches, in order."""
        self.source, self.seed, self.size, self.numbers = source, seed, size, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Sample:
        samples: list[Sample] = []
        draw = 0
        while len(samples) < self.size:
            samples += self.source.draw(draw_generator(self.seed, self.numbers[index], draw))
            draw += 1
        del samples[self.size :]  # a pair that began with the last place
        return {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}


def stream(source: SampleSource, seed: int, size: int, numbers: Sequence[int], workers: int = 0) -> Iterator[Sample]:
    """Micro batches in the order of `numbers`, drawn by so many processes beside, or by this one.

    source, seed, size: see MicroBatches.
    """
    cv2.setNumThreads(1)  # workers are forked, and would wait for ever for threads that OpenCV began before
    return iter(
        DataLoader(
            MicroBatches(source, seed, size, numbers),
            batch_size=None,
            num_workers=workers,
            prefetch_factor=4 if workers else None,
            worker_init_fn=_prepare_worker,
        )
    )


def _prepare_worker(_: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    # Ctrl-C reaches all processes of a terminal: the main process decides when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
