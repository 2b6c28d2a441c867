# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress reports and cancellation between the stages of one computation."""

from collections.abc import Callable

from hffne.errors import Cancelled

# (stage, fraction of the whole in 0..1, message for the user), called at the start of each stage.
ProgressCallback = Callable[[str, float, str], object]
# Returns True once the result is no longer wanted.
CancelCheck = Callable[[], bool]


class StageReporter:
    """Reports the start of each stage, and stops before it when the computation was cancelled.

    Calling it raises `errors.Cancelled` when `cancelled()` returns True. Either callback may be None.
    """

    def __init__(self, report: ProgressCallback | None = None, cancelled: CancelCheck | None = None) -> None:
        self._report = report
        self._cancelled = cancelled

    def __call__(self, stage: str, fraction: float, message: str) -> None:
        """Report a stage; arguments as for ProgressCallback."""
        if self._cancelled is not None and self._cancelled():
            raise Cancelled
        if self._report is not None:
            self._report(stage, fraction, message)
