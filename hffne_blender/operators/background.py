# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that asks the engine: beside the user's own in a window, at once from scripts and without a window.

An operator's `work(context)` is a generator, as in `system.jobs`. It yields

    a sentence      what it does now, for the panel
    a dict          a request for the engine; its (message, arrays) come back, or TransferError is raised
    a function      a job for a thread, which never touches Blender's data; its result comes back

Between two slices the user may change, undo or delete anything: what the work holds of Blender's data it looks up anew
by name.
"""

import time
from functools import partial

from ..character.errors import TransferError
from ..engine import session
from ..engine.client import EngineError
from ..numeric.received_face import ReceivedFaceError
from ..system import jobs
from . import ask

# How much of what is left of the bar an answer of the engine fills.
SHARE = 0.4


class InBackground(ask.Advancing):
    """Modal when `begin` is called in a window; `execute` does the same work and returns when it is done."""

    share = SHARE

    in_background: ask.in_background_property()

    _steps = None
    # A dialog calls `execute` for the user; a file browser, whose window closes meanwhile.
    _windowed = False
    _browsed = False
    _ran = False

    def work(self, context):
        raise NotImplementedError

    def begin(self, context):
        """Start the work from a button, a menu or a key: the operator's state."""
        self._ran = True
        if not ask.has_window(context):
            return self._now(context)
        self._steps = session.work(jobs.Steps(self._answered(context, waits=False)))
        return self.start_advancing(context)

    def invoke(self, context, event):
        return self.begin(context)

    def execute(self, context):
        # An operator that has ended once cannot become modal again: what repeats it (F9, Shift R) gets a new one.
        if (self._ran or self._browsed) and ask.has_window(context):
            try:
                return ask.run_again(self, context, self.again())
            except TransferError as error:
                return ask.fail(self, error)
        return self.begin(context) if self._windowed or self.in_background else self._now(context)

    def again(self):
        """The arguments that run it once more as it is."""
        return self.as_keywords()

    def _now(self, context):
        self._ran = True
        session.work(None)
        return self._guarded(lambda: jobs.run(self._answered(context, waits=True))) or {"FINISHED"}

    def advance(self, context):
        failed = self._guarded(self._steps.advance)
        if failed or not self._steps.over:
            return failed
        if self._steps.cancelled:
            self.report({"INFO"}, "Cancelled")
            return {"CANCELLED"}
        return {"FINISHED"}

    def _guarded(self, work):
        """Do it; the operator's state when it fails, else None."""
        try:
            work()
        except ReceivedFaceError as error:
            return ask.fail_asset(self, error)
        except (EngineError, TransferError) as error:
            return ask.fail(self, error)
        return None

    def _answered(self, context, waits):
        """The work with its sentences told and its requests answered: what is left are jobs, as `system.jobs` wants them."""
        work, told = self.work(context), session.state.task
        value = error = None
        try:
            while True:
                try:
                    wanted = work.throw(error) if error else work.send(value)
                except StopIteration as end:
                    return end.value
                value = error = None
                try:
                    if isinstance(wanted, str):
                        told.message = wanted
                    elif isinstance(wanted, dict):
                        value = yield from self._asked(context, wanted, told, waits)
                    else:
                        value = yield wanted
                except Exception as failure:
                    error = failure
        finally:
            work.close()

    def _asked(self, context, request, told, waits):
        """The engine's answer to one request, its progress told as a part of the whole."""
        begin = told.progress
        task = ask.start(context, self, request, aside=True)

        def tell(task):
            told.progress = begin + (1 - begin) * self.share * task.progress
            told.message = task.message or told.message

        try:
            if waits:
                session.wait(task, tell)
            while not task.over:
                session.poll()
                tell(task)
                # Nothing to compute: the next tick looks again.
                yield partial(time.sleep, ask.TICK / 2)
        finally:
            session.abandon(task)
        tell(task)
        if task.status != "done":
            error = task.error or {"code": "cancelled", "message": "Cancelled", "hint": ""}
            raise TransferError(error["code"], error["message"], error["hint"])
        return task.result
