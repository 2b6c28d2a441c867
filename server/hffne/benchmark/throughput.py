# SPDX-License-Identifier: GPL-3.0-or-later
"""How much is done in a second, many at once: faces through the coarse and the fine network, ours and the published
widths, and photos through the whole pipeline."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from hffne.lockstep import SharedNetworks, in_lockstep
from hffne.models import Models
from hffne.service.failures import is_out_of_memory

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate
    from hffne.photo.detect import Face
    from hffne.photo.load import Photo
    from hffne.pipeline import Engine

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


def photos_per_second(
    engine: "Engine",
    photo: "Photo",
    face: "Face",
    batches: Sequence[int],
    size: int | None = None,
    seconds: float = SECONDS,
) -> list[dict[str, Any]]:
    """A row for each batch: "batch", and "photos_per_second" from a photo in memory to its merged normals.

    size: of the crop, as for `Engine.normals`.
    """

    def one(networks: SharedNetworks) -> "FaceEstimate":
        return engine.with_networks(networks).normals(photo, face, size=size)

    def all_of(batch: int) -> None:
        for result in in_lockstep(engine.networks, [one] * batch):
            if isinstance(result, Exception):
                raise result

    rows = []
    device = engine.networks.device
    for batch in batches:
        # Loads what is loaded at its first use.
        all_of(1)
        rate = batch * _repeats_per_second(partial(all_of, batch), device, seconds)
        rows.append({"batch": batch, "photos_per_second": rate})
    return rows


def photos_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The rows of `photos_per_second` as a table."""
    lines = [f"| {row['batch']} | {row['photos_per_second']:.2f} |" for row in rows]
    return "\n".join(["| photos at once | whole pipeline, photos/s |", "|---|---|", *lines])


def _rate(models: Models, size: int, batch: int, seconds: float) -> float | None:
    generator = torch.Generator().manual_seed(0)
    small, large = (torch.rand(batch, 1, side, side, generator=generator).to(models.device) for side in (256, size))

    def compute() -> None:
        with torch.autocast(models.device.type, torch.float16, enabled=models.half):
            models.fine_network(large, models.coarse_network(small))

    try:
        compute()
        return batch * _repeats_per_second(compute, models.device, seconds)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    if models.device.type != "cpu":
        getattr(torch, models.device.type).empty_cache()
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
