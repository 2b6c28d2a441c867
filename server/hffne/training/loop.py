# SPDX-License-Identifier: GPL-3.0-or-later
"""The training loop: AdamW, one-cycle rate, averaged weights, checkpoints that resume, a log of numbers."""

import json
import os
import time
from pathlib import Path

import cv2
import torch
from torch.optim.swa_utils import AveragedModel

from hffne.training.dataset import FaceSamples, batches
from hffne.weights.store import save_weights

CHECK_EVERY, SAVE_EVERY = 500, 500


def _follow(average, value, count):
    """Exponential average that forgets its untrained start: a tenth of the steps so far, 300 at most."""
    return average + (value - average) * torch.maximum(10 / (10 + count), torch.tensor(1 / 300)).to(value.dtype)


def _quick_in_half():
    """Whether the CPU computes in bfloat16 itself; one that imitates it takes ten times as long as in float32."""
    able = getattr(torch.cpu, "get_capabilities", dict)()  # an older torch cannot tell
    return any(able.get(name) for name in ("amx_bf16", "avx512_bf16", "arm_bf16"))


class Trainee:
    """One task with its optimizer, rate schedule and averaged weights."""

    def __init__(self, task, steps):
        self.task = task
        self.network = task.network.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), task.learning_rate, weight_decay=1e-3)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, task.learning_rate, steps + 1, pct_start=0.06
        )
        self.average = AveragedModel(self.network, avg_fn=_follow, use_buffers=True)

    def step(self, batch, half):
        self.network.train()

        def network(*inputs):  # only the network is in half precision; losses keep float32
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                return self.network(*(i.contiguous(memory_format=torch.channels_last) for i in inputs)).float()

        terms = self.task.loss(batch, network)
        loss = sum(terms.values())
        if not torch.isfinite(loss):
            raise FloatingPointError(f"{self.task.name}: the loss is {loss.item()}; the last checkpoint is good")
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(self.network)
        return {f"{self.task.name}/{name}": value.item() for name, value in terms.items()}

    @torch.no_grad()
    def check(self, held_out):
        network = self.average.module.eval()
        sums = {}
        for batch in held_out:
            for name, values in self.task.check(batch, network).items():
                sums.setdefault(name, []).append(values.flatten())
        return {f"{self.task.name}/check/{name}": torch.cat(v).mean().item() for name, v in sums.items()}

    def state(self):
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "average": self.average.state_dict(),
        }

    def load(self, state):
        for name, value in state.items():
            getattr(self, name).load_state_dict(value)


def train(tasks, data, output, steps, batch=16, seed=0, photos=0.35, half=True, workers=1, report=print, **drawing):
    """Train all `tasks` on the same batches of the set `data`; write checkpoints, log and weights to `output`.

    `drawing` goes to `FaceSamples`. Goes on from ``output/checkpoint.pt`` where there is one. `half` computes in bfloat16
    where the CPU is quick in it.
    Raises FloatingPointError on a loss that is no number; the last checkpoint stays.
    """
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    cv2.setNumThreads(1)  # workers are forked, and wait for ever for threads that OpenCV began before
    size = tasks[0].size
    half = half and _quick_in_half()
    trainees = [Trainee(task, steps) for task in tasks]
    start, checkpoint = 0, output / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        start = saved["step"]
        for trainee in trainees:
            trainee.load(saved[trainee.task.name])
        report(f"going on from step {start}")
    checking = FaceSamples(data, size, seed + 1, photos=photos, held_out=True, moves=drawing.get("moves", 0.7))
    held_out = [next(it) for it in [batches(checking, batch, 0)] for _ in range(6)]
    stream = batches(FaceSamples(data, size, [seed, start], photos=photos, **drawing), batch, workers)
    began, numbers = time.time(), {}
    with open(output / "log.jsonl", "a") as log:
        for step in range(start + 1, steps + 1):
            item = next(stream)
            for trainee in trainees:
                for name, value in trainee.step(item, half).items():
                    numbers[name] = numbers.get(name, value) * 0.98 + value * 0.02
            if step % 50 == 0 or step == steps:
                line = {"step": step, "seconds": round(time.time() - began, 1)} | numbers
                if step % CHECK_EVERY == 0 or step == steps:
                    for trainee in trainees:
                        line |= trainee.check(held_out)
                log.write(json.dumps(line) + "\n")
                log.flush()
                report(" ".join(f"{k} {v:.4g}" for k, v in line.items()))
            if step % SAVE_EVERY == 0 or step == steps:
                temporary = checkpoint.with_suffix(".tmp")
                torch.save({"step": step} | {t.task.name: t.state() for t in trainees}, temporary)
                os.replace(temporary, checkpoint)
                for trainee in trainees:
                    save_weights(
                        trainee.average.module,
                        output / f"{trainee.task.name}.safetensors",
                        {"network": trainee.task.name, "steps": str(step), "seed": str(seed)},
                    )
