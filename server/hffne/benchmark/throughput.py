# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces per second through the coarse and the fine network, many at once: ours and the published widths."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from hffne.models import Models

# Seconds for which each figure is measured.
SECONDS = 1.0


@torch.inference_mode()
def throughput(
    models: dict[str, Models], sizes: Sequence[int], batches: Sequence[int], seconds: float = SECONDS
) -> list[dict[str, Any]]:
    """A row for each size of crop and batch: "size", "batch", and faces per second by the name in `models`.

    Gray crops at 256 through the coarse network, at `size` through the fine one, all on the models' device. A batch
    that does not fit into memory has None.
    """
    rows = []
    for size in sizes:
        for batch in batches:
            rates = {name: _rate(one, size, batch, seconds) for name, one in models.items()}
            rows.append({"size": size, "batch": batch, "faces_per_second": rates})
    return rows


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a table; the ratio is that of the first name to the last one."""
    names = list(rows[0]["faces_per_second"])
    head = ["crop", "faces at once", *(f"{name}, faces/s" for name in names), "ratio"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        rates = [row["faces_per_second"][name] for name in names]
        ratio = f"{rates[0] / rates[-1]:.1f} x" if rates[0] and rates[-1] else "–"
        cells = [str(row["size"]), str(row["batch"]), *(f"{rate:.1f}" if rate else "–" for rate in rates), ratio]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _rate(models: Models, size: int, batch: int, seconds: float) -> float | None:
    generator = torch.Generator().manual_seed(0)
    small, large = (torch.rand(batch, 1, side, side, generator=generator).to(models.device) for side in (256, size))

    def compute() -> None:
        with torch.autocast(models.device.type, torch.float16, enabled=models.half):
            models.fine_network(large, models.coarse_network(small))

    try:
        compute()
        return batch * _repeats_per_second(compute, models.device, seconds)
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        return None


def _repeats_per_second(function: Callable[[], None], device: torch.device, seconds: float) -> float:
    wait = getattr(torch, device.type).synchronize if device.type != "cpu" else lambda: None
    wait()
    started, count = time.perf_counter(), 0
    while count == 0 or time.perf_counter() - started < seconds:
        function()
        # Not queued without end: each run is waited for.
        wait()
        count += 1
    return count / (time.perf_counter() - started)
