# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that run beside the user: a timer calls them, and the status bar shows their progress."""

import contextlib

import bpy

from ...system.required import required
from .placement import UserState, user_state
from .types import OperatorMixin, OperatorResult


class OnTimer(OperatorMixin):
    """A modal operator that is called at regular intervals."""

    # The state when the timer was started; None for an operator that was not modal.
    state_before: UserState | None = None
    # Whether `modal` is called already, for other events.
    is_modal = False
    _timer: bpy.types.Timer | None = None
    _workspace: bpy.types.WorkSpace | None = None
    _status: str | None = None

    def start_timer(self, context: bpy.types.Context, seconds: float) -> OperatorResult:
        """Become modal: `modal` is called with a TIMER event every `seconds`."""
        self.state_before = user_state(context)
        manager = required(context.window_manager)
        self._timer = manager.event_timer_add(seconds, window=context.window)
        if not self.is_modal:
            manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def stop_timer(self, context: bpy.types.Context) -> None:
        """Stop the timer and clear the status bar."""
        if self._timer is not None:
            required(context.window_manager).event_timer_remove(self._timer)
            self._timer = None
        self._set_status(None)

    def show_status(self, context: bpy.types.Context, text: str) -> None:
        """Show a text in the status bar, until the timer stops."""
        if self._workspace is None:
            # The text belongs to a workspace, and the user may switch to another one.
            self._workspace = context.workspace
        self._set_status(text)

    def _set_status(self, text: str | None) -> None:
        if self._workspace is None or text == self._status:
            return
        self._status = text
        # The workspace is gone when another file was opened.
        with contextlib.suppress(ReferenceError):
            self._workspace.status_text_set(text)
        if text is None:
            self._workspace = None
