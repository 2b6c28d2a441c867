# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.batch_run`: a face of each photo in the queue, one after the other.

From the panel it is modal, as generating one face is; from a script it returns when the
queue is worked off. A photo that fails says why and does not stop the others.
"""

import os
from functools import partial

import bpy

from .. import batch, settings
from ..engine import session
from ..engine.client import EngineError
from ..numeric.received_face import ReceivedFace, ReceivedFaceError
from ..scene import face
from ..system import jobs
from . import ask

# Without an engine no photo will do: the whole queue stops.
FATAL = {
    "engine_not_set", "engine_not_started", "engine_not_installed", "engine_incomplete", "engine_silent",
    "version_mismatch", "no_device", "no_model", "bad_weights", "weights_missing", "weights_mismatch",
}  # fmt: skip


class HFFNE_OT_batch_run(ask.Advancing, bpy.types.Operator):
    """Build a face of every photo that waits in the queue"""

    bl_idname = "hffne.batch_run"
    bl_label = "Generate All"
    # Not to be adjusted afterwards (F9): that would work off the whole queue once more.
    bl_options = {"UNDO"}

    directory: bpy.props.StringProperty(
        name="Folder", description="Add all photos of this folder first", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    retry: bpy.props.BoolProperty(
        name="Retry", description="Also try those again that have failed", default=False, options={"SKIP_SAVE"}
    )
    texture_size: settings.texture_size_property(options={"SKIP_SAVE"})
    grid: settings.grid_property(options={"SKIP_SAVE"})
    color: settings.color_property(options={"SKIP_SAVE"})
    maps: settings.maps_property(options={"SKIP_SAVE"})
    engine_python: ask.engine_python_property()
    device: ask.device_property()

    _task = None
    _steps = None
    _current = -1
    _stop = None
    _made = 0

    @classmethod
    def poll(cls, context):
        return ask.poll(cls, context)

    def invoke(self, context, event):
        settings.take_over(self, context)
        if not ask.has_window(context):
            return self.execute(context)
        if not self._prepare(context) or not self._next(context):
            return self._told(context)
        return self.start_advancing(context)

    def execute(self, context):
        if self._prepare(context):
            while self._next(context):
                session.wait(self._task)
                if self._answered():
                    self._finish(partial(jobs.run, self._building(context)))
        return self._told(context)

    def advance(self, context):
        if self._steps is None:
            session.poll()
            if not self._task.over:
                return None
            if self._answered():
                self._steps = session.build(jobs.Steps(self._building(context)))
                return None
        elif not self._steps.over:
            self._finish(self._steps.advance)
            if not self._steps.over:
                return None
        if self._steps is not None and self._steps.cancelled:
            self._cancelled()
        self._steps = None
        if not self._next(context):
            return self._told(context)
        # The list shows what has become of the photo before.
        ask.redraw(context)
        return None

    def _prepare(self, context):
        self._stop, self._made = None, 0
        queue = context.scene.hffne_batch
        if self.directory:
            folder = bpy.path.abspath(self.directory)
            try:
                batch.add(queue, batch.photos_in(folder))
            except OSError as error:
                self._stop = f"The folder {folder} cannot be read ({error.strerror}). Check the path."
                return False
        for item in queue.items:
            # What was running when the file was saved was never finished.
            if item.state == "RUNNING" or (self.retry and item.state == "FAILED"):
                item.state, item.message = "WAITING", ""
        if not any(item.state == "WAITING" for item in queue.items):
            self._stop = "No photo waits in the queue. Add some, or try the failed ones again."
            return False
        return True

    def _next(self, context):
        """Begin the next photo that can be begun; False when there is none or the queue has stopped."""
        queue = context.scene.hffne_batch
        while self._stop is None:
            self._current = next((i for i, item in enumerate(queue.items) if item.state == "WAITING"), -1)
            if self._current < 0:
                return False
            item = queue.items[self._current]
            path = os.path.abspath(bpy.path.abspath(item.photo))
            try:
                if not os.path.isfile(path):
                    raise EngineError("photo_not_found", f"There is no file {path}.", "Check the path.")
                self._task = ask.start(context, self, settings.request(self, photo=path, face="largest"))
            except EngineError as error:
                self._failed(item, error.as_dict())
                continue
            item.state, item.message, queue.active = "RUNNING", "", self._current
            return True
        return False

    def _item(self, context=None):
        queue = (context or bpy.context).scene.hffne_batch
        return queue.items[self._current] if 0 <= self._current < len(queue.items) else None

    def _answered(self):
        """Whether the engine has an answer to the current photo; otherwise its state is set."""
        if self._item() is None or self._task.status == "done":
            return self._item() is not None
        if self._task.status == "cancelled":
            self._cancelled()
        else:
            self._failed(self._item(), self._task.error)
        return False

    def _building(self, context):
        """From the engine's answer to the object, in slices (see `system.jobs`)."""
        asset = yield partial(ReceivedFace.from_answer, *self._task.result)
        obj = yield from face.build_steps(asset, partial(ask.place, context), self.color)
        obj.location = batch.place_of(self._current, context.scene.cursor.location)
        item = self._item(context)
        item.obj, item.state, item.message = obj, "DONE", " ".join(asset.notices)
        self._made += 1

    def _finish(self, work):
        try:
            work()
        except ReceivedFaceError as error:
            self._failed(self._item(), {"code": "bad_asset", "message": str(error), "hint": ""})

    def _cancelled(self):
        if self._item() is not None:
            self._item().state = "WAITING"
        self._stop = "Cancelled."

    def _failed(self, item, error):
        item.state, item.message = "FAILED", error["message"]
        if error["code"] in FATAL:
            session.fail(error)
            self._stop = ask.words(error)
            # It is not the photo's fault.
            item.state, item.message = "WAITING", ""

    def _told(self, context):
        """Say how it went; the operator's state."""
        queue = context.scene.hffne_batch
        text = batch.summary(queue)
        if self._stop and not self._made:
            self.report({"INFO"} if self._stop == "Cancelled." else {"ERROR"}, self._stop)
            return {"CANCELLED"}
        if self._stop:
            text = f"{self._stop} {text}"
        self.report({"WARNING"} if self._stop or batch.counts(queue)["FAILED"] else {"INFO"}, text)
        return {"FINISHED"}
