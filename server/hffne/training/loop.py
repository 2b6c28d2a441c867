# SPDX-License-Identifier: GPL-3.0-or-later
"""The training loop of every task, on Lightning Fabric: one process or many, on CPU or GPU, with exact resume.

Samples, dropout and batch norm depend on (seed, step, micro batch) alone, never on the number of processes or on when a
run was interrupted. So on one CPU two runs with one seed give equal weights, and so does a run that is stopped and
resumed; two processes see the losses of one.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import torch

from hffne.errors import ConfigurationError, TrainingError
from hffne.output import output_folder, write_files
from hffne.training.checkpoint import NAME, read_checkpoint, run_facts, write_checkpoint
from hffne.training.log import RunLog
from hffne.training.provenance import commit, notes
from hffne.training.recipe import Recipe
from hffne.training.seeding import micro_batch_seed
from hffne.training.sources import Sample, SampleSource
from hffne.training.stream import MicroBatches, stream
from hffne.training.tasks.base import TrainingTask
from hffne.training.trainer import Trainer, first_not_finite
from hffne.weights.store import save_weights

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Report = Callable[[str], None]
_say: Report = partial(print, flush=True)


def train(
    fabric: "Fabric",
    make_task: Callable[[], TrainingTask],
    recipe: Recipe,
    source: SampleSource,
    output: str | Path,
    seed: int = 0,
    held_out: SampleSource | None = None,
    inputs: Mapping[str, str] | None = None,
    workers: int = 0,
    until: int | None = None,
    report: Report = _say,
) -> dict[str, float]:
    """Train a task; returns the last losses by name, or {} when there was no step left to do.

    fabric     launched, see `fabric.make_fabric`
    make_task  called once, after the seed is set, so that equal seeds make equal networks
    held_out   samples for the task's metrics, or None
    inputs     hashes of the files that the run begins with, by name; kept with the weights
    workers    processes that draw samples, for each device
    until      stop after this step, with a checkpoint; None: all of the recipe's steps

    Writes to `output`: ``checkpoint.pt``, from which the run is resumed when it is there; ``<network>.safetensors``,
    and ``<network>_<step>.safetensors`` for the steps of `keep`; ``log.jsonl``; events and pictures for TensorBoard.

    Raises TrainingError when a loss is not finite (its batch is saved, the last checkpoint stays); CheckpointError when
    the checkpoint is not of this run; ConfigurationError when a step cannot be shared among the processes; OutputError;
    KeyboardInterrupt after Ctrl-C, with a checkpoint of the last step.
    """
    parts = recipe.batch // recipe.micro_batch
    if parts % fabric.world_size:
        raise ConfigurationError(
            f"{parts} micro batches a step cannot be shared among {fabric.world_size} processes.",
            hint="Choose a batch that is a multiple of micro_batch times the processes.",
        )
    with output_folder(output) as folder:
        run = _Run(fabric, make_task, recipe, source, folder, seed, dict(inputs or {}), report)
        end = recipe.steps if until is None else min(until, recipe.steps)
        return run.go(end, held_out, workers)


class _Run:
    """One run of the loop in one process."""

    def __init__(
        self,
        fabric: "Fabric",
        make_task: Callable[[], TrainingTask],
        recipe: Recipe,
        source: SampleSource,
        folder: Path,
        seed: int,
        inputs: dict[str, str],
        report: Report,
    ) -> None:
        self.fabric, self.recipe, self.source, self.folder, self.seed = fabric, recipe, source, folder, seed
        self.report: Report = report if fabric.is_global_zero else lambda _: None
        self.data, self.inputs = source.fingerprint(), inputs
        commit()  # of the sources as they are loaded now
        self.facts = run_facts(recipe, seed, self.data, inputs)
        # Before the networks are made: that may take long.
        state = read_checkpoint(folder, self.facts, recipe.steps, fabric.device)
        torch.manual_seed(seed)
        self.trainer = Trainer(fabric, make_task(), recipe)
        self.start = 0
        self.smoothed: dict[str, float] = {}
        if state is not None:
            self.start, self.smoothed = state["step"], state["smoothed"]
            self.trainer.load_state_dict(state["trainer"])

    def go(self, end: int, held_out: SampleSource | None, workers: int) -> dict[str, float]:
        """Do the steps to `end`; see `train`."""
        recipe, start = self.recipe, self.start
        if start:
            # The process may have ended between the checkpoint and the weights.
            self._write_weights(start)
        if start >= end:
            done = "all steps are" if start == recipe.steps else f"step {start} of {recipe.steps} is"
            self.report(f"{recipe.task}: {done} done; the weights are in '{self.folder}'")
            return {}
        if start:
            self.report(f"{recipe.task}: resuming from step {start}")
        parts = recipe.batch // recipe.micro_batch
        mine = range(self.fabric.global_rank, parts, self.fabric.world_size)
        numbers = [step * parts + part for step in range(start, end) for part in mine]
        batches = stream(self.source, self.seed, recipe.micro_batch, numbers, workers)
        checked, shown = self._for_checking(held_out)
        log = RunLog(self.folder, start, self.fabric.is_global_zero)
        losses: dict[str, float] = {}
        began = time.monotonic()
        with _interrupt() as interrupted:
            for step in range(start + 1, end + 1):
                step_batches = [self.fabric.to_device(next(batches)) for _ in mine]
                seeds = [micro_batch_seed(self.seed, step, part) for part in mine]
                losses, stop = self.trainer.step(step_batches, seeds, interrupted())
                wrong = first_not_finite(losses)
                if wrong:
                    raise self._stopped(step, wrong, step_batches)
                self._smooth(losses)
                last = step == end or stop
                if step % recipe.every.log == 0 or step == start + 1 or last:
                    checks = self.trainer.check(checked) if step % recipe.every.check == 0 or step == end else {}
                    log.numbers(step, time.monotonic() - began, self.smoothed | checks)
                    words = [f"{name} {value:.4g}" for name, value in (self.smoothed | checks).items()]
                    self.report(f"{recipe.task} {step}/{recipe.steps} " + " ".join(words))
                if step % recipe.every.picture == 0 or step == end:
                    self._show(log, step, shown)
                if step % recipe.every.save == 0 or last or step in recipe.keep:
                    self._save(step)
                if stop and step < end:
                    log.close()
                    self.report(f"stopped at step {step}, with a checkpoint; the same command resumes the run")
                    raise KeyboardInterrupt
        log.close()
        if end < recipe.steps:
            self.report(f"stopped at step {end} of {recipe.steps}; the same command without --until resumes the run")
        return losses

    def _for_checking(self, held_out: SampleSource | None) -> tuple[list[Sample], Sample | None]:
        """Held-out micro batches, and a few samples to look at; on the first process only."""
        if not self.fabric.is_global_zero:
            return [], None
        size, count = self.recipe.micro_batch, self.recipe.every.check_batches if held_out else 0
        checked = MicroBatches(held_out or self.source, self.seed + 1, size, range(count))
        shown = MicroBatches(held_out or self.source, self.seed + 1, min(4, size), [0])[0]
        return [self.fabric.to_device(checked[k]) for k in range(count)], self.fabric.to_device(shown)

    def _smooth(self, losses: dict[str, float]) -> None:
        """Take a step's losses into those that are logged."""
        share = self.recipe.every.smoothing
        for name, value in losses.items():
            self.smoothed[name] = self.smoothed.get(name, value) * share + value * (1 - share)

    def _show(self, log: RunLog, step: int, shown: Sample | None) -> None:
        """A picture for TensorBoard."""
        if shown is not None and log.board is not None:
            picture = self.trainer.picture(shown)
            if picture is not None:
                log.picture(step, picture)

    def _save(self, step: int) -> None:
        """The checkpoint, then the weights for use."""
        if self.fabric.is_global_zero:
            state = {"step": step, "smoothed": self.smoothed, "trainer": self.trainer.state_dict()}
            write_checkpoint(self.folder, state, self.facts)
        self._write_weights(step)

    def _write_weights(self, step: int) -> None:
        """The weights for use after a step, with the notes of how they were made."""
        if self.fabric.is_global_zero:
            for name in self.trainer.task.saved:
                about = notes(name, step, self.recipe, self.seed, self.data, self.inputs)
                for suffix in ["", *([f"_{step}"] if step in self.recipe.keep else [])]:
                    save_weights(self.trainer.weights(name), self.folder / f"{name}{suffix}.safetensors", about)
        self.fabric.barrier()

    def _stopped(self, step: int, term: str, batches: list[Sample]) -> TrainingError:
        """Save the batch of a step whose loss is not finite; returns the error for it."""
        path = self.folder / f"bad_step_{step}_process_{self.fabric.global_rank}.pt"
        kept = [{name: value.cpu() for name, value in batch.items()} for batch in batches]
        write_files({path: lambda file: torch.save(kept, file)})
        good = "The last checkpoint is good" if (self.folder / NAME).exists() else "There is no checkpoint yet"
        return TrainingError(
            f"At step {step} the loss {term} is not finite; its batch is in '{path}'.",
            hint=f"{good}. Run the same command with --full-precision, or begin again with a lower learning rate.",
        )


@contextmanager
def _interrupt() -> Iterator[Callable[[], bool]]:
    """Within it the first Ctrl-C only sets a flag, which the function it gives returns; the second raises as usual."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
