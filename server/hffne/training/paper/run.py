# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of both stages, on Lightning Fabric: one process or many, mixed precision, exact resume, logs, a stop on NaN.

Sample, dropout and batch norm depend on (seed, step, micro batch) alone, never on the number of processes or on when a
run was interrupted. So a resumed run goes on bit for bit on one device, and two processes see the losses of one.
"""

import json
import os
import time
from pathlib import Path

import numpy as np
import torch

from hffne.errors import TrainingError
from hffne.training.paper.samples import Numbered
from hffne.weights.store import save_weights


def train(fabric, stage, source, config, output, seed=0, workers=0, steps=None, report=print):
    """Train a stage on a source of samples; returns the last step's losses by name.

    fabric: a launched lightning.fabric Fabric. Writes to `output`: ``checkpoint.pt`` (resumed from when it is there),
    ``<network>.safetensors``, ``<network>_<step>.safetensors`` for the steps of `keep`, ``log.jsonl``, TensorBoard
    events with pictures. Raises TrainingError when a loss is no number (the batch is saved, the last checkpoint
    stays), or when the checkpoint belongs to another run.
    """
    output, settings = Path(output), config[stage.name]
    steps = settings["steps"] if steps is None else steps
    parts = config["batch"] // config["micro_batch"]
    if parts % fabric.world_size:
        raise TrainingError(
            f"{parts} micro batches a step cannot be shared among {fabric.world_size} processes.",
            hint="Choose a batch that is a multiple of micro_batch times the processes.",
        )
    mine = range(fabric.global_rank, parts, fabric.world_size)
    torch.manual_seed(seed)
    run = _Run(fabric, stage, config)
    start = run.resume(output, _facts(stage, config, seed))
    if start:
        report(f"going on from step {start}")
    numbers = [step * parts + part for step in range(start, steps) for part in mine]
    loader = torch.utils.data.DataLoader(
        Numbered(source, config["size"], seed, config["micro_batch"], numbers), batch_size=None, num_workers=workers
    )
    stream, writer, losses = iter(loader), _Writer(output, start, fabric.is_global_zero), {}
    shown = Numbered(source, config["size"], seed + 1, min(4, config["micro_batch"]), [0])[0]
    began = time.time()
    for step in range(start + 1, steps + 1):
        batches = [fabric.to_device(next(stream)) for _ in mine]
        losses = run.step(batches, [hash_seed(seed, step, part) for part in mine], parts)
        wrong = [name for name, value in losses.items() if not np.isfinite(value)]
        if wrong:
            raise _stopped(fabric, output, step, wrong[0], batches)
        if step % config["log_every"] == 0 or step in (start + 1, steps):
            writer.numbers(step, losses, time.time() - began)
            if fabric.is_global_zero:
                report(f"{stage.name} {step}/{steps} " + " ".join(f"{k} {v:.4g}" for k, v in losses.items()))
        if step % config["picture_every"] == 0 or step == steps:
            writer.pictures(step, run.show(fabric.to_device(shown)))
        kept = step in settings.get("keep", ())
        if step % config["save_every"] == 0 or step == steps or kept:
            run.save(output, step, _facts(stage, config, seed), f"_{step}" if kept else None)
    writer.close()
    fabric.barrier()
    return losses


def hash_seed(seed, step, part):
    """The random seed of one micro batch."""
    return int(np.random.SeedSequence([seed, step, part]).generate_state(1)[0])


class _Run:
    """The networks on their devices, their optimizers, and one step of them."""

    def __init__(self, fabric, stage, config):
        self.fabric, self.stage = fabric, stage
        self.call, self.module, self.optimizers, self.learning = {}, {}, {}, {}
        for name, network in stage.networks.items():
            self.learning[name] = learning = [p for p in network.parameters() if p.requires_grad]
            self.call[name], self.optimizers[name] = fabric.setup(
                network, torch.optim.Adam(learning, config["learning_rate"])
            )
            self.module[name] = self.call[name].module
        for name, network in stage.fixed.items():
            stage.fixed[name] = network.to(fabric.device)

    def step(self, batches, seeds, parts):
        """One step of every turn on this process's micro batches: mean losses over all processes."""
        sums = {}
        for turn in self.stage.turns:
            self.optimizers[turn].zero_grad()
            for name, network in self.module.items():
                network.train()
                # Another's turn may pass through it, without a gradient of its own.
                for parameter in self.learning[name]:
                    parameter.requires_grad_(name == turn)
            for k, (batch, seed) in enumerate(zip(batches, seeds)):
                torch.manual_seed(seed)
                last = k == len(batches) - 1
                with self.fabric.no_backward_sync(self.call[turn], enabled=not last), self.fabric.autocast():
                    terms = self.stage.loss(turn, batch, self.call, self.module)
                    # Gradients are meaned over the processes, so each gives the mean of its own micro batches.
                    self.fabric.backward(sum(terms.values()) / len(batches))
                for name, value in terms.items():
                    key = f"{turn}/{name}"
                    sums[key] = sums.get(key, 0) + value.detach().double() / parts
            if all(torch.isfinite(value) for value in sums.values()):
                self.optimizers[turn].step()
        total = self.fabric.all_reduce(torch.stack(list(sums.values())), reduce_op="sum")
        return dict(zip(sums, total.tolist()))

    @torch.no_grad()
    def show(self, batch):
        """A picture (3, H, W) in 0..1: a row a face."""
        for network in self.module.values():
            network.eval()
        with self.fabric.autocast():
            columns = [c.float() for c in self.stage.show(batch, self.module)]
        return torch.cat([torch.cat(list(column), 1) for column in columns], 2).clamp(0, 1).cpu()

    def save(self, output, step, facts, kept=None):
        """The checkpoint, whole or not at all, and the weights for use."""
        state = {
            "step": step,
            "facts": facts,
            "networks": {name: network.state_dict() for name, network in self.module.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        }
        scaler = getattr(self.fabric._precision, "scaler", None)
        if scaler is not None:
            state["scaler"] = scaler.state_dict()
        if self.fabric.is_global_zero:
            output.mkdir(parents=True, exist_ok=True)
            temporary = output / "checkpoint.tmp"
            torch.save(state, temporary)
            os.replace(temporary, output / "checkpoint.pt")
            for name in self._useful():
                for suffix in filter(lambda s: s is not None, ("", kept)):
                    save_weights(
                        self.module[name],
                        output / f"{name}{suffix}.safetensors",
                        {"network": name, "steps": str(step), "facts": facts},
                    )
        self.fabric.barrier()

    def resume(self, output, facts):
        """Load the checkpoint where there is one; the step it was made at, or 0."""
        path = output / "checkpoint.pt"
        if not path.is_file():
            return 0
        try:
            state = torch.load(path, map_location=self.fabric.device, weights_only=True)
        except Exception as error:
            raise TrainingError(f"'{path}' is damaged.", hint="Delete it to begin anew.") from error
        if not isinstance(state, dict) or state.get("facts") != facts:
            raise TrainingError(
                f"'{path}' belongs to another configuration.",
                hint="Use another output folder, or the configuration that it was begun with.",
            )
        for name, network in self.module.items():
            network.load_state_dict(state["networks"][name])
            self.optimizers[name].load_state_dict(state["optimizers"][name])
        if "scaler" in state:
            self.fabric._precision.scaler.load_state_dict(state["scaler"])
        return state["step"]

    def _useful(self):
        return [name for name in self.module if name != "discriminator"]


def _facts(stage, config, seed):
    """What must be the same for a run to go on: as text."""
    fixed = {key: config[key] for key in ("model", "size", "batch", "micro_batch", "learning_rate")}
    own = {key: value for key, value in config[stage.name].items() if key not in ("steps", "keep")}
    return json.dumps({"stage": stage.name, "seed": seed, **fixed, **own}, sort_keys=True)


def _stopped(fabric, output, step, term, batches):
    """Save what broke the step; the error that tells of it."""
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"bad_step_{step}_process_{fabric.global_rank}.pt"
    torch.save([{name: value.cpu() for name, value in batch.items()} for batch in batches], path)
    return TrainingError(
        f"At step {step} the loss {term} is no number; its batch is in '{path}'.",
        hint="The last checkpoint is good: run the same command with a lower learning rate or in full "
        "precision to go on from it.",
    )


class _Writer:
    """Losses as JSON lines and to TensorBoard, pictures to TensorBoard; nothing on processes but the first."""

    def __init__(self, output, start, active):
        self.board = None
        if active:
            from torch.utils.tensorboard import SummaryWriter

            output.mkdir(parents=True, exist_ok=True)
            self.board = SummaryWriter(output / "tensorboard", purge_step=start + 1)
            self.path = output / "log.jsonl"
            lines = self.path.read_text("utf-8").splitlines() if self.path.is_file() else []
            # What came after the checkpoint is done again.
            lines = [line for line in lines if json.loads(line)["step"] <= start]
            self.path.write_text("".join(f"{line}\n" for line in lines), "utf-8")

    def numbers(self, step, losses, seconds):
        if self.board:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, "seconds": round(seconds, 1), **losses}) + "\n")
            for name, value in losses.items():
                self.board.add_scalar(name, value, step)

    def pictures(self, step, picture):
        if self.board:
            self.board.add_image("faces", picture, step)

    def close(self):
        if self.board:
            self.board.close()
