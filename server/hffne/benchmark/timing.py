# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeated timings and their summary."""

import time
from collections.abc import Callable, Sequence

# "median", "low" and "high" of several measurements, and "cpu" for some.
Summary = dict[str, float]


def summarize(values: Sequence[float]) -> Summary:
    """The "median", "low" and "high" of some measurements."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return {"median": median, "low": ordered[0], "high": ordered[-1]}


def timed(function: Callable[[], object], runs: int) -> Summary:
    """Milliseconds of warm runs as `summarize`, with "cpu": the median of the processor time of all threads.

    On a busy machine the processor time equals the wall time on an idle one, for one thread.
    """
    function()
    wall, cpu = [], []
    for _ in range(runs):
        started, used = time.perf_counter(), time.process_time()
        function()
        cpu.append((time.process_time() - used) * 1000)
        wall.append((time.perf_counter() - started) * 1000)
    return summarize(wall) | {"cpu": summarize(cpu)["median"]}
