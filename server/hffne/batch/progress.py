# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that say how far a batch has come."""

import time
from collections.abc import Callable, Sequence

from hffne.batch.records import Record

# Seconds between two lines.
INTERVAL = 5.0


class Progress:
    """Counts photos and says how many are done, how fast, and how long it will take.

    total: all photos; before: those that need nothing; show: called with a line, or None.
    """

    def __init__(self, total: int, before: int, show: Callable[[str], object] | None) -> None:
        self._total, self._before, self._show = total, before, show
        self._done = self._failed = 0
        self._started = self._last = time.monotonic()
        if before and show is not None:
            show(f"{before} of {total} photos were done before.")

    def add(self, records: Sequence[Record]) -> None:
        """Photos that are done."""
        self._done += len(records)
        self._failed += sum("error" in record for record in records)
        if time.monotonic() - self._last >= INTERVAL:
            self._print()

    def end(self) -> None:
        """The last line."""
        if self._done:
            self._print()

    def _print(self) -> None:
        self._last = time.monotonic()
        if self._show is None:
            return
        rate = self._done / max(self._last - self._started, 1e-6)
        left = self._total - self._before - self._done
        text = f"{self._before + self._done} of {self._total} photos, {self._failed} failed, {rate:.2g} photos/s"
        self._show(text + (f", {duration(left / rate)} left" if left else ""))


def duration(seconds: float) -> str:
    """Seconds for people: "40 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
