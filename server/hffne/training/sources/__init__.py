# SPDX-License-Identifier: GPL-3.0-or-later
"""Where training samples come from: training sets, Photoface, folders of photos."""

from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch

Sample: TypeAlias = dict[str, torch.Tensor]


class SampleSource(Protocol):
    """Random samples of a data set.

    A sample is a dict of float32 tensors. All sources give: gray (1, S, S) in 0..1; normal (3, S, S), unit in camera
    space, zero where nothing is known; weight (S, S) 0..1, how far the normal is known.
    """

    def draw(self, rng: np.random.Generator) -> list[Sample]:
        """One or more samples that belong together, by the generator alone: equal generators give equal samples."""
        ...

    def fingerprint(self) -> str:
        """A short hash that differs where the data differ, quickly computed."""
        ...


@runtime_checkable
class SetSource(SampleSource, Protocol):
    """Samples of a training set (``synthesis.training_set``).

    folder  the set
    """

    folder: Path

    def files(self) -> list[Path]:
        """The files of the set that it uses, for its training and for its held-out samples."""
        ...
