# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work in short slices, so that Blender's window never freezes. No bpy here.

The work is a generator. What it does itself belongs to the main thread and is short; for what takes long it
yields a job, a function without arguments that never touches Blender's data, and gets its result back:

    pixels = yield partial(compute, asset)

`run` does it all at once, for scripts; `Steps` does a slice whenever a timer asks.
"""

import threading


def run(generator):
    """Do all of it now and return the generator's result; its errors are raised."""
    value, error = None, None
    while True:
        try:
            job = generator.throw(error) if error else generator.send(value)
        except StopIteration as end:
            return end.value
        value, error = _do(job)


class Steps:
    """The same in slices: call `advance` until `over`; then there is a `result`, or it was `cancelled`."""

    def __init__(self, generator):
        self.over, self.cancelled, self.result = False, False, None
        self._generator = generator
        self._thread, self._outcome = None, (None, None)

    def advance(self):
        """Do the next slice, if the job of the last one is done; never waits. Errors are raised, and end it."""
        if self.over or (self._thread is not None and self._thread.is_alive()):
            return
        (value, error), self._outcome = self._outcome, (None, None)
        try:
            job = self._generator.throw(error) if error else self._generator.send(value)
        except StopIteration as end:
            self.over, self.result = True, end.value
            return
        except BaseException:
            self.over = True
            raise
        # Blender's end does not wait for it.
        self._thread = threading.Thread(target=self._work, args=(job,), name="hffne-build", daemon=True)
        self._thread.start()

    def cancel(self):
        """Give it up: the generator is closed where it stands. A job that runs is left to end, for nobody."""
        if not self.over:
            self.over = self.cancelled = True
            self._generator.close()

    def _work(self, job):
        self._outcome = _do(job)


def _do(job):
    try:
        return job(), None
    except Exception as error:
        return None, error
