# SPDX-License-Identifier: GPL-3.0-or-later
"""How long to wait for a sign of life, told from time in which nobody could have given one. No bpy here."""

import time

# Between two looks the machine may have slept, or Blender may have been busy: more than this is not counted.
LONGEST_GAP = 1.0


class Patience:
    """Seconds since the last sign of life, as counted by looking often.

    The clock is monotonic, so setting the machine's time changes nothing. A long gap between two looks counts for
    one second only: after the lid was closed for an hour the engine has a whole term again to be heard in.
    """

    def __init__(self, clock=time.monotonic):
        self._clock = clock
        self.reset()

    def reset(self):
        """A sign of life: begin anew."""
        self._spent, self._last = 0.0, self._clock()

    def spent(self):
        """Look at the clock: the seconds waited since `reset`."""
        now = self._clock()
        self._spent += min(max(now - self._last, 0.0), LONGEST_GAP)
        self._last = now
        return self._spent
