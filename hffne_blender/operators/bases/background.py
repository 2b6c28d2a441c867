# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that send requests to the engine: beside the user in a window, otherwise until the work is done.

An operator's `work(context)` is a generator, as in `system.jobs`. It yields

    a text          what happens now, for the panel
    a dict          a request to the engine; its (message, arrays) come back, or TransferError is raised
    a function      a job for a thread, which never touches Blender's data; its result comes back

Between two slices the user may change, undo or delete anything, so the work looks Blender's data up again by name.
"""

import time
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any

import bpy

from ...character.errors import TransferError
from ...character.steps import StepGenerator
from ...engine import session
from ...engine.client import Answer, Task
from ...numeric.checked_arrays import ReceivedFaceError
from ...system import jobs
from ...system.errors import ExtensionError
from . import placement, repeat, reporting, requests, windows
from .polls import engine_idle, object_mode
from .properties import EngineOptions
from .timer import OnTimer
from .types import OperatorResult

# Seconds between two slices of the work.
TICK = 0.05

Work = StepGenerator[None]


class InBackground(EngineOptions, OnTimer):
    """Modal when `begin` is called in a window; `execute` does the same work and returns when it is done.

    `session.state.task` holds the progress; Esc cancels.
    """

    in_background: bpy.props.BoolProperty(
        name="In Background",
        description="Return at once and work beside the user, where there is a window",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    # How much of the rest of the progress bar an answer of the engine fills.
    share = 0.4

    _steps: jobs.Steps | None = None
    # Set by a dialog, which calls `execute` for the user.
    _windowed = False
    # Set by a file browser, whose window closes before `execute`.
    _browsed = False
    _ran = False
    # Whether what the operator makes is one face, which F9 replaces, and not a change of what is there.
    makes_face = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return engine_idle(cls, context) and object_mode(cls, context)

    def work(self, context: bpy.types.Context) -> Work:
        """All that the operator does, see the module's docstring."""
        raise NotImplementedError

    def finished(self, context: bpy.types.Context) -> OperatorResult:
        """The operator's result when the work has come to its end."""
        return {"FINISHED"}

    def cancelled(self, context: bpy.types.Context) -> OperatorResult:
        """The operator's result when the work was cancelled."""
        self.report({"INFO"}, "Cancelled")
        return {"CANCELLED"}

    def begin(self, context: bpy.types.Context) -> OperatorResult:
        """Start the work from a button, a menu or a key."""
        self._ran = True
        if not windows.has_window(context):
            return self.run_now(context)
        self._steps = jobs.Steps(self._answered(context, waits=False))
        session.work(self._steps)
        self._show_progress(context)
        return self.start_timer(context, TICK)

    def run_now(self, context: bpy.types.Context) -> OperatorResult:
        """Do all the work before returning."""
        self._ran = True
        session.work(None)
        failed = self._guarded(lambda: jobs.run(self._answered(context, waits=True)))
        return failed or self.finished(context)

    def again(self) -> dict[str, Any]:
        """The arguments with which the operator is run once more."""
        return self.as_keywords()  # type: ignore[func-returns-value, return-value]  # the stub lacks the dict

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        return self.begin(context)

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        # An operator that has ended once cannot become modal again: F9 and Shift R run a new one.
        if (self._ran or self._browsed) and windows.has_window(context):
            try:
                return repeat.run_again(self, context, self.again(), self.makes_face)
            except TransferError as error:
                return reporting.fail(self, error)
        return self.begin(context) if self._windowed or self.in_background else self.run_now(context)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if event.type == "ESC" and event.value == "PRESS":
            session.cancel()
        elif event.type != "TIMER":
            return {"PASS_THROUGH"}
        task = session.state.task
        before = (task.progress, task.message)
        try:
            result = self.advance(context)
        except BaseException:
            self._end(context)
            raise
        if result is not None:
            self._end(context)
        elif before != (task.progress, task.message):
            self._show_progress(context)
        return result or {"PASS_THROUGH"}

    def advance(self, context: bpy.types.Context) -> OperatorResult | None:
        """Do the work of one tick, which never waits; the operator's result at the end, else None."""
        steps = self._steps
        assert steps is not None
        failed = self._guarded(steps.advance)
        if failed or not steps.over:
            return failed
        return self.cancelled(context) if steps.cancelled else self.finished(context)

    def cancel(self, context: bpy.types.Context) -> None:
        # Called when Blender closes the window or loads another file.
        session.cancel()
        self._end(context)

    def clear_place(self, context: bpy.types.Context) -> bpy.types.Collection:
        """The collection for the face that is built now, after the one that it replaces is removed, as F9 wants."""
        same = self.state_before == placement.user_state(context)
        if repeat.remove_former(self) and same:
            self.state_before = placement.user_state(context)
        return placement.collection(context)

    def add_face(
        self, context: bpy.types.Context, obj: bpy.types.Object, notices: Iterable[str], moved: bool = True
    ) -> None:
        """Place and select a new face, and report the engine's notices. moved: False leaves it where it is."""
        repeat.remember(self, obj)
        placement.place(context, obj, self.state_before, moved)
        for notice in notices:
            self.report({"WARNING"}, notice)

    def _end(self, context: bpy.types.Context) -> None:
        self.stop_timer(context)
        windows.redraw_sidebars(context)

    def _show_progress(self, context: bpy.types.Context) -> None:
        task = session.state.task
        self.show_status(context, f"{task.message or 'Starting the engine'} ({task.progress:.0%})    Esc: Cancel")
        windows.redraw_sidebars(context)

    def _guarded(self, run: Callable[[], object]) -> OperatorResult | None:
        """Call `run`; the operator's result when that fails, else None."""
        try:
            run()
        except (ExtensionError, ReceivedFaceError) as error:
            return reporting.fail(self, error)
        return None

    def _answered(self, context: bpy.types.Context, waits: bool) -> Generator[Callable[[], Any], Any, None]:
        """The work with its texts shown and its requests answered: only jobs for `system.jobs` are left."""
        work, overall = self.work(context), session.state.task
        value: Any = None
        error: Exception | None = None
        try:
            while True:
                try:
                    wanted = work.throw(error) if error else work.send(value)
                except StopIteration:
                    return
                value = error = None
                try:
                    if isinstance(wanted, str):
                        overall.message = wanted
                    elif isinstance(wanted, dict):
                        value = yield from self._answer(context, wanted, overall, waits)
                    else:
                        value = yield wanted
                except Exception as failure:
                    error = failure
        finally:
            work.close()

    def _answer(
        self, context: bpy.types.Context, request: dict[str, Any], overall: Task, waits: bool
    ) -> Generator[Callable[[], Any], Any, Answer]:
        """The engine's answer to one request; its progress is a share of the overall progress."""
        begin = overall.progress
        task = requests.send(context, self, request)

        def update(task: Task) -> None:
            overall.progress = begin + (1 - begin) * self.share * task.progress
            # A failure has its message, and the work may go on with another request.
            if task.error is None:
                overall.message = task.message or overall.message

        try:
            if waits:
                session.wait(task, update)
            while not task.over:
                session.poll()
                update(task)
                # Nothing to compute: the next tick polls again.
                yield partial(time.sleep, TICK / 2)
        finally:
            session.abandon(task)
        update(task)
        if task.status != "done":
            error = task.error or {"code": "cancelled", "message": "Cancelled", "hint": ""}
            raise TransferError.from_dict(error)
        return task.result
