# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.find_faces`: the faces on the photo, to choose one of them.

In a window the operator runs in the background; from a script it returns when the faces are found. They are then in
`context.window_manager.hffne_faces`, the largest first, each with its `box` and `score`.
"""

import bpy

from .. import preferences, settings
from ..engine import session
from ..engine.client import EngineError, Task
from ..photo import detected_faces, image_file
from ..system.required import required
from .bases import reporting, requests, windows
from .bases.properties import EngineOptions, PhotoOptions
from .bases.timer import OnTimer
from .bases.types import OperatorResult

TICK = 0.1  # seconds


class HFFNE_OT_find_faces(PhotoOptions, EngineOptions, OnTimer, bpy.types.Operator):
    """Find the faces on the photo and show them, to choose one"""

    bl_idname = "hffne.find_faces"
    bl_label = "Find Faces"
    bl_options = {"INTERNAL"}

    _task: Task | None = None
    _file: image_file.PhotoFile | None = None
    _key = ""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        self.use_panel_photo(context)
        if not windows.has_window(context):
            return self.execute(context)
        if not preferences.find_python(context, self.engine_python):
            # The panel offers to install the engine.
            return {"CANCELLED"}
        try:
            self._task = self._send(context)
        except EngineError as error:
            detected_faces.clear(context, self._key, str(error))
            return {"CANCELLED"}
        detected_faces.state.awaited = self._key
        windows.redraw_sidebars(context)
        return self.start_timer(context, TICK)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        session.poll()
        task = required(self._task)
        if not task.over:
            return {"PASS_THROUGH"}
        self.cancel(context)
        if detected_faces.key(settings.of(context)) == self._key:
            if task.status == "done":
                self._show(context, task)
            elif task.status == "error":
                detected_faces.clear(context, self._key, required(task.error)["message"])
        windows.redraw_sidebars(context)
        return {"FINISHED"}

    def cancel(self, context: bpy.types.Context) -> None:
        self.stop_timer(context)
        # Another photo may have been chosen meanwhile, whose faces are still looked for.
        if detected_faces.state.awaited == self._key:
            detected_faces.state.awaited = ""
        required(self._file).close()

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        self.use_panel_photo(context)
        # Should it fail, the faces of another photo must not stay.
        detected_faces.clear(context)
        try:
            task = self._send(context)
            session.wait(task)
        except EngineError as error:
            return reporting.fail(self, error)
        finally:
            if self._file is not None:
                self._file.close()
        if task.status != "done":
            return reporting.fail(self, task.error or {"message": "Cancelled", "hint": "", "code": "cancelled"})
        self.report({"INFO"}, f"{self._show(context, task)} faces")
        return {"FINISHED"}

    def _send(self, context: bpy.types.Context) -> Task:
        self._key = detected_faces.image_key(self.image) if self.image else self.photo
        self._file = image_file.find(self.photo, self.image)
        request = {"type": "faces", "photo": self._file.path, "thumbnails": detected_faces.THUMBNAIL}
        return requests.send(context, self, request)

    def _show(self, context: bpy.types.Context, task: Task) -> int:
        """Fill in the panel's faces; returns their number."""
        count = detected_faces.show(context, self._key, task.result)
        chosen = settings.of(context)
        if chosen.face > count:
            chosen.face = 0
        return count
