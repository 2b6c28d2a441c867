# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.find_faces`: the faces on the photo, to choose one of them.

In a window it looks in the background; from a script it returns when they are found. They are then in
`context.window_manager.hffne_faces`, the largest first, each with its `box` and `score`.
"""

import bpy

from .. import preferences, settings
from ..engine import session
from ..engine.client import EngineError
from ..photo import detected_faces, image_file
from . import ask

TICK = 0.1


class HFFNE_OT_find_faces(ask.OnTimer, bpy.types.Operator):
    """Find the faces on the photo and show them, to choose one"""

    bl_idname = "hffne.find_faces"
    bl_label = "Find Faces"
    bl_options = {"INTERNAL"}

    photo: settings.photo_property(options={"SKIP_SAVE"})
    image: settings.image_name_property(options={"SKIP_SAVE"})
    engine_python: ask.engine_python_property()
    device: ask.device_property()

    _task = None
    _file = None
    _key = None

    def invoke(self, context, event):
        settings.take_photo(self, context)
        if not ask.has_window(context):
            return self.execute(context)
        if not preferences.find_python(context, self.engine_python):
            # The panel offers to install the engine.
            return {"CANCELLED"}
        try:
            self._ask(context)
        except EngineError as error:
            detected_faces.clear(context, self._key, str(error))
            return {"CANCELLED"}
        return self.start_timer(context, TICK)

    def modal(self, context, event):
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        session.poll()
        if not self._task.over:
            return {"PASS_THROUGH"}
        self.cancel(context)
        if detected_faces.key(context.scene.hffne) == self._key:
            if self._task.status == "done":
                self._show(context)
            elif self._task.status == "error":
                detected_faces.clear(context, self._key, self._task.error["message"])
        ask.redraw(context)
        return {"FINISHED"}

    def cancel(self, context):
        self.stop_timer(context)
        self._file.close()

    def execute(self, context):
        settings.take_photo(self, context)
        # Should it fail, those of another photo do not stay.
        detected_faces.clear(context)
        try:
            self._ask(context)
            session.wait(self._task)
        except EngineError as error:
            return ask.fail(self, error)
        finally:
            if self._file is not None:
                self._file.close()
        if self._task.status != "done":
            return ask.fail(self, self._task.error or {"message": "Cancelled", "hint": "", "code": "cancelled"})
        self.report({"INFO"}, f"{self._show(context)} faces")
        return {"FINISHED"}

    def _ask(self, context):
        self._key = detected_faces.image_key(self.image) if self.image else self.photo
        self._file = image_file.find(self.photo, self.image)
        request = {"type": "faces", "photo": self._file.path, "thumbnails": detected_faces.THUMBNAIL}
        self._task = ask.start(context, self, request, aside=True)

    def _show(self, context):
        count = detected_faces.show(context, self._key, self._task.result)
        if context.scene.hffne.face > count:
            context.scene.hffne.face = 0
        return count
