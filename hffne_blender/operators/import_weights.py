# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.import_weights`: the engine takes the published checkpoints, in a process of its own."""

import subprocess

import bpy

from .. import preferences
from ..engine import launch
from . import ask

TICK = 0.2  # seconds


class HFFNE_OT_import_weights(ask.OnTimer, bpy.types.Operator):
    """Check the published checkpoints and keep them for the engine; nothing in the files is run"""

    bl_idname = "hffne.import_weights"
    bl_label = "Import Published Weights"
    bl_options = {"INTERNAL"}

    exemplar: bpy.props.StringProperty(
        name="Exemplar", description="ExemplarModel.pkl; empty takes the preferences'", options={"SKIP_SAVE"}
    )
    refiner: bpy.props.StringProperty(
        name="Refiner", description="RefinerModel.pt; empty takes the preferences'", options={"SKIP_SAVE"}
    )
    engine_python: ask.engine_python_property()

    _process = None

    def invoke(self, context, event):
        if not ask.has_window(context):
            return self.execute(context)
        if not self._start(context):
            return {"CANCELLED"}
        # The files hold hundreds of megabytes: Blender stays usable meanwhile.
        context.workspace.status_text_set("Importing the published weights")
        return self.start_timer(context, TICK)

    def modal(self, context, event):
        if event.type != "TIMER" or self._process.poll() is None:
            return {"PASS_THROUGH"}
        self._clean_up(context)
        return self._finish()

    def cancel(self, context):
        self._process.kill()
        self._process.communicate()
        self._clean_up(context)

    def execute(self, context):
        return self._finish() if self._start(context) else {"CANCELLED"}

    def _start(self, context):
        chosen = preferences.get(context)
        python = preferences.find_python(context, self.engine_python)
        files = [
            bpy.path.abspath(own or other)
            for own, other in ((self.exemplar, chosen.exemplar_file), (self.refiner, chosen.refiner_file))
        ]
        if not python:
            self.report({"ERROR"}, "The engine's Python is not set.")
            return False
        if not all(files):
            self.report({"ERROR"}, "Choose both files first: ExemplarModel.pkl and RefinerModel.pt.")
            return False
        try:
            self._process = subprocess.Popen(
                launch.import_command(python, *files),
                env=launch.environment(not bpy.app.background),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            self.report({"ERROR"}, f"The engine's Python cannot be started: {error.strerror}.")
            return False
        return True

    def _finish(self):
        output, _ = self._process.communicate()
        lines = [line.strip().removeprefix("hffne: error: ") for line in output.splitlines() if line.strip()]
        if self._process.returncode:
            self.report({"ERROR"}, " ".join(lines[-2:]) or "The weights could not be imported.")
            return {"CANCELLED"}
        self.report({"INFO"}, lines[-1])
        return {"FINISHED"}

    def _clean_up(self, context):
        self.stop_timer(context)
        context.workspace.status_text_set(None)
