# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work in short slices, so that Blender's window never freezes. No bpy here.

The work is a generator. What it does itself runs on the main thread and is short. For what takes long it
yields a job, a function without arguments that never touches Blender's data, and gets the job's result back:

    pixels = yield partial(compute, asset)

`run` does all of it at once, for scripts; `Steps` does one slice whenever a timer calls it.
"""

import threading
from collections.abc import Callable, Generator
from typing import Any, TypeVar

Job = Callable[[], Any]
ResultT = TypeVar("ResultT")

# A job's result and None, or None and the error that it raised.
_Outcome = tuple[Any, Exception | None]
_NOTHING: _Outcome = (None, None)


def run(generator: Generator[Job, Any, ResultT]) -> ResultT:
    """Do all of the work now and return the generator's result; its errors are raised."""
    value, error = _NOTHING
    while True:
        try:
            job = generator.throw(error) if error else generator.send(value)
        except StopIteration as end:
            return end.value
        value, error = _do(job)


class Steps:
    """The same in slices: call `advance` until `over`; then there is a `result`, or the work was `cancelled`."""

    def __init__(self, generator: Generator[Job, Any, Any]):
        self.over, self.cancelled = False, False
        self.result: Any = None
        self._generator = generator
        self._thread: threading.Thread | None = None
        self._outcome = _NOTHING

    def advance(self) -> None:
        """Do the next slice if the last slice's job is done; never waits. Errors are raised, and end the work."""
        if self.over or (self._thread is not None and self._thread.is_alive()):
            return
        (value, error), self._outcome = self._outcome, _NOTHING
        try:
            job = self._generator.throw(error) if error else self._generator.send(value)
        except StopIteration as end:
            self.over, self.result = True, end.value
            return
        except BaseException:
            self.over = True
            raise
        # A daemon: Blender does not wait for it when it quits.
        self._thread = threading.Thread(target=self._work, args=(job,), name="hffne-build", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop the work: the generator is closed where it is. A running job goes on, and its result is dropped."""
        if not self.over:
            self.over = self.cancelled = True
            self._generator.close()

    def _work(self, job: Job) -> None:
        self._outcome = _do(job)


def _do(job: Job) -> _Outcome:
    try:
        return job(), None
    except Exception as error:
        return None, error
