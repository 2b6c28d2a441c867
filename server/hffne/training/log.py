# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of a run: losses and metrics as JSON lines and for TensorBoard, pictures for TensorBoard."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from hffne.output import write_files

if TYPE_CHECKING:
    from torch.utils import tensorboard


class RunLog:
    """Writes ``log.jsonl`` and, where TensorBoard is installed, ``tensorboard/`` of an output folder."""

    def __init__(self, output: Path, start: int, active: bool = True):
        """start: the step that the run begins after; later lines are of steps that are done again, and removed.
        active: False on all processes but the first, where nothing is written."""
        self.path, self.active = output / "log.jsonl", active
        self.board: tensorboard.SummaryWriter | None = None
        if not active:
            return
        lines = self.path.read_text("utf-8").splitlines() if self.path.is_file() else []
        text = "".join(f"{line}\n" for line in lines if _step(line) <= start)
        write_files({self.path: lambda file: file.write(text.encode())})
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self.board = SummaryWriter(str(output / "tensorboard"), purge_step=start + 1)

    def numbers(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        """A line of values by name. seconds: since the run began or was resumed."""
        if not self.active:
            return
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "seconds": round(seconds, 1), **values}) + "\n")
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(name, value, step)

    def picture(self, step: int, picture: torch.Tensor) -> None:
        """A picture (3, H, W) in 0..1, for TensorBoard."""
        if self.board is not None:
            self.board.add_image("faces", picture, step)

    def close(self) -> None:
        """Write what is not written yet."""
        if self.board is not None:
            self.board.close()


def _step(line: str) -> float:
    """The step of a line of the log; infinite for a line that was cut off."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
