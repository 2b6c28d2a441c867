# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's installation as operators and panels see it: one at a time, beside the user in a window."""

import threading

import bpy

from ...engine import install_work, installed, session
from ...system.required import required
from . import reporting, windows
from .timer import OnTimer
from .types import OperatorResult

# Seconds between two polls of the running installation.
TICK = 0.2

# Bytes that an interrupted installation has left, None while they are counted; by the engine's folder.
_half_sizes: dict[str, int | None] = {}


def half_installation(base: str) -> tuple[bool, int | None]:
    """(whether there is an interrupted installation, its bytes or None while a thread counts its files)."""
    if session.installing() or not installed.is_half(base):
        return False, None
    if base not in _half_sizes:
        _half_sizes[base] = None

        def count() -> None:
            _half_sizes[base] = installed.size_of(base)

        threading.Thread(target=count, name="hffne-size", daemon=True).start()
    return True, _half_sizes[base]


def forget_sizes() -> None:
    """Count again what interrupted installations have left."""
    _half_sizes.clear()


def stop() -> None:
    """Cancel a running installation, when Blender or the extension ends."""
    work = session.state.installation
    if work is not None and session.installing():
        work.cancel()
        work.wait(5)


class Installs(OnTimer):
    """An operator that installs or checks the engine: modal from a button; a script waits for the end."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if session.installing():
            cls.poll_message_set("The engine is being installed or checked")
            return False
        return True

    def make_work(self, context: bpy.types.Context) -> install_work.Work:
        """What to run. Raises ValueError with a message for the user when it cannot run, OSError for the folder."""
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if not windows.has_window(context):
            return self.execute(context)
        if not self._start(context):
            return {"CANCELLED"}
        return self.start_timer(context, TICK)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        windows.redraw_viewports_and_preferences(context)
        work = required(session.state.installation)
        if not work.over:
            self.show_status(context, f"HFFNE: {work.message} ({work.progress:.0%})")
            return {"PASS_THROUGH"}
        self.stop_timer(context)
        return self._finish()

    def cancel(self, context: bpy.types.Context) -> None:
        required(session.state.installation).cancel()
        self.stop_timer(context)

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        if not self._start(context):
            return {"CANCELLED"}
        required(session.state.installation).wait()
        return self._finish()

    def _start(self, context: bpy.types.Context) -> bool:
        forget_sizes()
        try:
            session.state.installation = self.make_work(context).start()
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return False
        except OSError as error:
            self.report({"ERROR"}, f"The extension's folder cannot be written ({error.strerror}): {error.filename}")
            return False
        return True

    def _finish(self) -> OperatorResult:
        work = required(session.state.installation)
        if work.state == "done":
            self.report({"INFO"}, work.message)
            return {"FINISHED"}
        if work.state == "cancelled":
            self.report({"INFO"}, "Cancelled; the downloads are kept for the next try")
        else:
            self.report({"ERROR"}, reporting.text_of(required(work.error)))
        return {"CANCELLED"}
