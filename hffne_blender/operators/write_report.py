# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.write_report`: what support needs to know, as a text, with nothing private in it."""

import platform
import subprocess
import sys

import bpy

from .. import preferences
from ..engine import launch, session
from ..engine.redact import redact
from . import text_viewer

TEXT_NAME = "HFFNE Report"
TICK, SECONDS = 0.5, 180


class HFFNE_OT_write_report(bpy.types.Operator):
    """Check the installation and write a report for support into a text; names of people, folders and photos are left out"""

    bl_idname = "hffne.write_report"
    bl_label = "Write Report"
    bl_options = {"INTERNAL"}

    def execute(self, context):
        text = text_viewer.show(context, TEXT_NAME, _here(context))
        process = _doctor(context)
        if process is None:
            text.write("\nThe engine's Python is not set, or does not start.\n")
        elif bpy.app.background:
            text.write(_answer(process, SECONDS))
        else:
            _later(process)
        self.report({"INFO"}, f"See the text '{TEXT_NAME}'")
        return {"FINISHED"}


def _here(context):
    """What is known on this side."""
    chosen = preferences.get(context)
    lines = [
        "HFFNE report",
        f"blender: {bpy.app.version_string}",
        f"blender's python: {sys.version.split()[0]}",
        f"platform: {platform.platform()}",
        f"device wanted: {chosen.device}",
        f"engine runs on: {session.device() or 'not running'}",
    ]
    error = session.state.last_error
    lines.append(f"last error: {error['code']}: {redact(error['message'])}" if error else "last error: none")
    return "\n".join(lines) + "\n\n"


def _doctor(context):
    python = preferences.find_python(context)
    if not python:
        return None
    try:
        return subprocess.Popen(
            [python, "-m", "hffne", "doctor"],
            env=launch.environment(not bpy.app.background),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0,
        )
    except (OSError, ValueError):
        return None


def _answer(process, seconds):
    try:
        said = process.communicate(timeout=seconds)[0].decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"The engine's check did not end within {seconds} s.\n"
    # A Python without the engine answers with words of its own.
    return redact(said[-20_000:])


def _later(process):
    """Blender stays usable while the engine's side is looked at; its answer is short, so the pipe holds it."""
    left = [SECONDS / TICK]

    def look():
        left[0] -= 1
        if process.poll() is None and left[0] > 0:
            return TICK
        text = bpy.data.texts.get(TEXT_NAME)
        answer = _answer(process, 0.1)
        if text is not None:
            text.write(answer)
        return None

    bpy.app.timers.register(look, first_interval=TICK)
