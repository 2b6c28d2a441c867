# SPDX-License-Identifier: GPL-3.0-or-later
"""Detect an engine that no longer responds, or that no longer works."""

import time
from collections.abc import Callable

from ..system.errors import ExtensionError

# The engine is requested to send a heartbeat this often, in seconds.
HEARTBEAT = 2.0
# Importing torch from a cold disk takes long: so much is allowed until the first answer.
HELLO_SECONDS = 120
# Without any heartbeat for so long the whole process hangs.
SILENT_SECONDS = 60
# With heartbeats, but neither progress nor processor time for so long, the running stage hangs. A slow computer that
# works uses processor time: more than this share of the heartbeat's interval.
STUCK_SECONDS = 180
WORKING_SHARE = 0.005
# The longest that a stage may take, whatever it does: a library that is out of memory may spin for ever.
STAGE_SECONDS = 900
# Between two checks the machine may have slept, or Blender may have been busy: more than this is not counted.
LONGEST_GAP = 1.0

_HINT = "It was stopped; try again. If that does not help, look at the engine's log."


class IdleTimer:
    """Seconds since the last reset, summed up over frequent checks.

    The clock is monotonic, so setting the machine's time changes nothing. A long gap between two checks counts for
    LONGEST_GAP only: after the lid was closed for an hour the engine has its whole time again to respond.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Start again from zero."""
        self._elapsed, self._last = 0.0, self._clock()

    def elapsed(self) -> float:
        """The seconds since `reset`; call it often."""
        now = self._clock()
        self._elapsed += min(max(now - self._last, 0.0), LONGEST_GAP)
        self._last = now
        return self._elapsed


class Watchdog:
    """Decides from heartbeats and messages whether the engine responds and works.

    `heartbeat` may be called from the reading thread; everything else belongs to the caller's thread.
    """

    def __init__(self) -> None:
        self._silence, self._standstill, self._stage = IdleTimer(), IdleTimer(), IdleTimer()
        # Written by the reading thread: how many heartbeats have come, and the processor time of the last one.
        self._beats, self._cpu = 0, 0.0
        self._seen_beats, self._seen_cpu = 0, 0.0

    def heartbeat(self, cpu: object) -> None:
        """Count a heartbeat; cpu: the seconds of processor time that the engine has used."""
        self._cpu = float(cpu) if isinstance(cpu, (int, float)) and not isinstance(cpu, bool) else 0.0
        self._beats += 1

    def reset(self) -> None:
        """Note that the engine has sent a message, or that nothing was expected of it until now."""
        self._silence.reset()
        self._standstill.reset()
        self._stage.reset()

    def check(self, loaded: bool) -> ExtensionError | None:
        """The error when the engine hangs, else None; to be called often while a task runs.

        loaded: whether the engine has answered the "hello".
        """
        if self._beats != self._seen_beats:
            self._silence.reset()
            if self._cpu - self._seen_cpu > (self._beats - self._seen_beats) * HEARTBEAT * WORKING_SHARE:
                self._standstill.reset()
            self._seen_beats, self._seen_cpu = self._beats, self._cpu
        # An engine of an earlier version sends no heartbeat: of that one only the "hello" is waited for.
        limit = SILENT_SECONDS if self._beats else HELLO_SECONDS
        if (self._beats or not loaded) and self._silence.elapsed() > limit:
            return ExtensionError("engine_silent", f"The engine has not responded for {limit} s.", _HINT, fatal=True)
        if self._beats and self._standstill.elapsed() > STUCK_SECONDS:
            return ExtensionError(
                "engine_stuck", f"The engine has done nothing for {STUCK_SECONDS} s.", _HINT, fatal=True
            )
        if self._beats and self._stage.elapsed() > STAGE_SECONDS:
            text = f"A stage of the engine has not ended in {STAGE_SECONDS / 60:g} minutes."
            return ExtensionError("engine_stuck", text, _HINT, fatal=True)
        return None
