# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeated timings, and what is told of them."""

import time


def spread(values):
    """{"median", "low", "high"} of some numbers."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return {"median": median, "low": ordered[0], "high": ordered[-1]}


def timed(function, runs):
    """Milliseconds of warm runs as `spread`, with "cpu": the median of the processor time of all threads.

    On a busy machine the processor time says what the clock would have said on a quiet one, for one thread.
    """
    function()
    wall, cpu = [], []
    for _ in range(runs):
        started, used = time.perf_counter(), time.process_time()
        function()
        cpu.append((time.process_time() - used) * 1000)
        wall.append((time.perf_counter() - started) * 1000)
    return spread(wall) | {"cpu": spread(cpu)["median"]}
