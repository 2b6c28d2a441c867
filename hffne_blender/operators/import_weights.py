# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.import_weights`: import the published checkpoints into the engine, in a process of its own."""

import subprocess

import bpy

from .. import preferences
from ..engine import launch
from ..system.required import required
from .bases import windows
from .bases.properties import engine_python_property
from .bases.timer import OnTimer
from .bases.types import OperatorResult

TICK = 0.2  # seconds


class HFFNE_OT_import_weights(OnTimer, bpy.types.Operator):
    """Check the published checkpoints and convert them for the engine; no code in the files is run"""

    bl_idname = "hffne.import_weights"
    bl_label = "Import Published Weights"
    bl_options = {"INTERNAL"}

    exemplar: bpy.props.StringProperty(
        name="Exemplar", description="ExemplarModel.pkl; empty uses the preferences' file", options={"SKIP_SAVE"}
    )
    refiner: bpy.props.StringProperty(
        name="Refiner", description="RefinerModel.pt; empty uses the preferences' file", options={"SKIP_SAVE"}
    )
    engine_python: engine_python_property()

    _process: subprocess.Popen[str] | None = None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if not windows.has_window(context):
            return self.execute(context)
        if not self._start(context):
            return {"CANCELLED"}
        # The files have hundreds of megabytes: Blender stays usable meanwhile.
        self.show_status(context, "Importing the published weights")
        return self.start_timer(context, TICK)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if event.type != "TIMER" or required(self._process).poll() is None:
            return {"PASS_THROUGH"}
        self.stop_timer(context)
        return self._finish()

    def cancel(self, context: bpy.types.Context) -> None:
        process = required(self._process)
        process.kill()
        process.communicate()
        self.stop_timer(context)

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        return self._finish() if self._start(context) else {"CANCELLED"}

    def _start(self, context: bpy.types.Context) -> bool:
        chosen = preferences.get(context)
        python = preferences.find_python(context, self.engine_python)
        exemplar = bpy.path.abspath(self.exemplar or chosen.exemplar_file)
        refiner = bpy.path.abspath(self.refiner or chosen.refiner_file)
        if not python:
            self.report({"ERROR"}, "The engine's Python is not set.")
            return False
        if launch.refusal(python):
            self.report({"ERROR"}, launch.refusal(python))
            return False
        if not exemplar or not refiner:
            self.report({"ERROR"}, "Choose both files first: ExemplarModel.pkl and RefinerModel.pt.")
            return False
        try:
            self._process = subprocess.Popen(
                launch.import_command(python, exemplar, refiner),
                env=launch.environment(not bpy.app.background),
                cwd=launch.neutral_folder(),
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

    def _finish(self) -> OperatorResult:
        process = required(self._process)
        output, _ = process.communicate()
        lines = [line.strip().removeprefix("hffne: error: ") for line in output.splitlines() if line.strip()]
        if process.returncode:
            self.report({"ERROR"}, " ".join(lines[-2:]) or "The weights could not be imported.")
            return {"CANCELLED"}
        self.report({"INFO"}, lines[-1])
        return {"FINISHED"}
