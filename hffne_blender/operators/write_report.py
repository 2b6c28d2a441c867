# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.write_report`: a report on the installation for support, as a text without private data."""

import platform
import subprocess
import sys

import bpy

from .. import preferences
from ..engine import launch, session
from ..engine.redact import redact
from .bases import text_viewer
from .bases.types import OperatorResult

TEXT_NAME = "HFFNE Report"
# Seconds between two polls of the engine's check, and after which it is killed.
TICK, TIMEOUT = 0.5, 180
# Characters of the check's output that are kept.
OUTPUT_LENGTH = 20_000


class HFFNE_OT_write_report(bpy.types.Operator):
    """Check the installation and write a report for support, without names of people, folders or photos"""

    bl_idname = "hffne.write_report"
    bl_label = "Write Report"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        text = text_viewer.show(context, TEXT_NAME, _blender_part(context))
        process = _start_check(context)
        if process is None:
            text.write("\nThe engine's Python is not set, or does not start.\n")
        elif bpy.app.background:
            text.write(_output_of(process, TIMEOUT))
        else:
            _append_later(process)
        self.report({"INFO"}, f"See the text '{TEXT_NAME}'")
        return {"FINISHED"}


def _blender_part(context: bpy.types.Context) -> str:
    """The facts on Blender's side."""
    chosen = preferences.get(context)
    lines = [
        "HFFNE report",
        f"blender: {bpy.app.version_string}",
        f"blender's python: {sys.version.split()[0]}",
        f"platform: {platform.platform()}",
        f"device chosen: {chosen.device}",
        f"engine runs on: {session.device() or 'not running'}",
    ]
    error = session.state.last_error
    lines.append(f"last error: {error['code']}: {redact(error['message'])}" if error else "last error: none")
    return "\n".join(lines) + "\n\n"


def _start_check(context: bpy.types.Context) -> subprocess.Popen[bytes] | None:
    python = preferences.find_python(context)
    if not python or launch.refusal(python):
        return None
    try:
        return subprocess.Popen(
            [python, "-m", "hffne", "doctor"],
            env=launch.environment(not bpy.app.background),
            cwd=launch.neutral_folder(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0,
        )
    except (OSError, ValueError):
        return None


def _output_of(process: subprocess.Popen[bytes], seconds: float) -> str:
    """What the check prints, redacted; the process is killed when it does not end in time."""
    try:
        output = process.communicate(timeout=seconds)[0].decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"The engine's check did not end within {seconds} s.\n"
    # A Python without the engine prints an error of its own, which may contain paths.
    return redact(output[-OUTPUT_LENGTH:])


def _append_later(process: subprocess.Popen[bytes]) -> None:
    """Append the check's output when it has ended, without blocking Blender; it is short enough for the pipe."""
    ticks_left = TIMEOUT / TICK

    def poll() -> float | None:
        nonlocal ticks_left
        ticks_left -= 1
        if process.poll() is None and ticks_left > 0:
            return TICK
        text = bpy.data.texts.get(TEXT_NAME)
        output = _output_of(process, 0.1)
        if text is not None:
            text.write(output)
        return None

    bpy.app.timers.register(poll, first_interval=TICK)
