# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeated timings and their summary."""

import math
import statistics
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


def ratio_of_pairs(first: Sequence[float], second: Sequence[float]) -> Summary:
    """How many times as long the second takes as the first, of pairs measured in turn: "ratio", "low" and "high".

    The geometric mean, and its 95 % interval by Student's distribution of the logarithms; of one pair, no interval.
    """
    logs = [math.log(b / a) for a, b in zip(first, second, strict=True)]
    mean, freedom = statistics.fmean(logs), len(logs) - 1
    if not freedom:
        return {"ratio": math.exp(mean), "low": math.exp(mean), "high": math.exp(mean)}
    # Of Student's distribution at 97.5 %, to 2 % from 5 pairs on (Abramowitz and Stegun 26.7.5, two terms).
    z = 1.959964
    quantile = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    reach = quantile * statistics.stdev(logs) / math.sqrt(len(logs))
    return {"ratio": math.exp(mean), "low": math.exp(mean - reach), "high": math.exp(mean + reach)}


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
