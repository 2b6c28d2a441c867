# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.batch_run`: a face of each photo in the queue, one after the other.

A photo that fails keeps its error message and does not stop the others.
"""

import os
from collections.abc import Mapping
from typing import Any

import bpy

from .. import batch
from ..engine import session
from ..engine.client import EngineError
from ..export import character
from ..numeric.checked_arrays import ReceivedFaceError
from ..scene import photo_source, removal, units
from ..system import missing_file
from ..system.errors import ExtensionError
from ..system.required import required
from .bases import new_face, placement, reporting, windows
from .bases.background import InBackground, Work
from .bases.properties import FaceOptions
from .bases.types import OperatorResult

# Errors of the engine itself: no other photo would succeed, so the whole queue stops.
FATAL = {
    "engine_not_set", "engine_not_started", "engine_not_installed", "engine_incomplete", "engine_silent",
    "version_mismatch", "no_device", "no_model", "bad_weights", "weights_missing", "weights_mismatch",
}  # fmt: skip


class HFFNE_OT_batch_run(FaceOptions, InBackground, bpy.types.Operator):
    """Build a face of every waiting photo in the queue"""

    bl_idname = "hffne.batch_run"
    bl_label = "Generate All"
    # No REGISTER: adjusting it afterwards (F9) would run the whole queue once more.
    bl_options = {"UNDO"}

    directory: bpy.props.StringProperty(
        name="Folder", description="Add all photos of this folder first", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    retry: bpy.props.BoolProperty(
        name="Retry", description="Also try the failed photos again", default=False, options={"SKIP_SAVE"}
    )

    files_only: batch.files_only_property(options={"SKIP_SAVE"})
    output: batch.folder_property(options={"SKIP_SAVE"})

    # The progress bar shows the current photo's progress.
    share = 1.0

    _current = -1
    _stop: str | None = None
    _made = 0
    # Names of the files written in this run.
    _names: set[str] = set()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        self.use_panel_settings(context)
        queue = batch.queue_of(context)
        for name, value in (("files_only", queue.files_only), ("output", queue.folder)):
            if not self.properties.is_property_set(name):
                setattr(self, name, value)
        return self.begin(context)

    def work(self, context: bpy.types.Context) -> Work:
        self._stop, self._made, self._names = None, 0, set()
        if not self._prepare(context):
            return
        while self._stop is None:
            queue = batch.queue_of(context)
            self._current = next((i for i, item in enumerate(queue.items) if item.state == "WAITING"), -1)
            if self._current < 0:
                return
            item = queue.items[self._current]
            item.state, item.message, queue.active = "RUNNING", "", self._current
            windows.redraw_sidebars(context)
            try:
                yield from self._one_face(context, os.path.abspath(bpy.path.abspath(item.photo)))
            except (ExtensionError, ReceivedFaceError) as error:
                self._failed(context, reporting.as_dict(error))

    def finished(self, context: bpy.types.Context) -> OperatorResult:
        queue = batch.queue_of(context)
        text = batch.summary(queue)
        if self._stop and not self._made:
            self.report({"INFO"} if self._stop == "Cancelled." else {"ERROR"}, self._stop)
            return {"CANCELLED"}
        if self._stop:
            text = f"{self._stop} {text}"
        self.report({"WARNING"} if self._stop or batch.counts(queue)["FAILED"] else {"INFO"}, text)
        return {"FINISHED"}

    def cancelled(self, context: bpy.types.Context) -> OperatorResult:
        item = self._item(context)
        if item is not None and item.state == "RUNNING":
            item.state = "WAITING"
        self._stop = "Cancelled."
        return self.finished(context)

    def _prepare(self, context: bpy.types.Context) -> bool:
        """Add the folder's photos and reset states; False, with the reason in `_stop`, when no photo waits."""
        queue = batch.queue_of(context)
        if self.files_only and not os.path.isdir(bpy.path.abspath(self.output) if self.output else ""):
            self._stop = f"There is no folder '{self.output}' for the files. Choose one that exists."
            return False
        if self.directory:
            folder = bpy.path.abspath(self.directory)
            try:
                batch.add(queue, batch.photos_in(folder))
            except OSError as error:
                self._stop = f"The folder {folder} cannot be read ({error.strerror}). Check the path."
                return False
        for item in queue.items:
            # A photo that was running when the file was saved was never finished.
            if item.state == "RUNNING" or (self.retry and item.state == "FAILED"):
                item.state, item.message = "WAITING", ""
        if not any(item.state == "WAITING" for item in queue.items):
            self._stop = "No photo is waiting in the queue. Add some, or try the failed ones again."
            return False
        return True

    def _one_face(self, context: bpy.types.Context, path: str) -> Work:
        missing_file.check(path, EngineError)
        task = session.state.task
        task.progress, task.message = 0.0, ""
        request = self.face_request(photo=path, face="largest")
        answer = yield request
        if self._item(context) is None:
            return
        obj: bpy.types.Object | None
        obj, received = yield from new_face.build(context, answer, self.color)
        photo_source.store(obj, [path], 0, request)
        if self.files_only:
            told = self._write(context, obj, path)
            removal.remove(obj)
            obj = None
        else:
            told = ""
            self._stand(context, obj)
        item = self._item(context)
        if item is not None:
            count = int(answer[0].get("faces", 1))
            notices = [told] if told else []
            notices += [f"The largest of {count} faces."] if count > 1 else []
            item.obj, item.state, item.message = obj, "DONE", " ".join([*notices, *received.notices])
        self._made += 1

    def _write(self, context: bpy.types.Context, obj: bpy.types.Object, path: str) -> str:
        """Write a face's files; says where. Raises ExtensionError."""
        stem = name = bpy.path.clean_name(os.path.splitext(os.path.basename(path))[0])
        number = 1
        # Photos of one name from several folders.
        while name.casefold() in self._names:
            number += 1
            name = f"{stem}_{number}"
        self._names.add(name.casefold())
        formats = tuple(kind for kind in character.FORMATS if not character.lacking((kind,)))
        folder = bpy.path.abspath(self.output)
        try:
            written = character.export(context, obj, folder, character.Choices(name, "ANY", formats, False, "BOTH"))
        except OSError as error:
            removal.remove(obj)
            raise ExtensionError(
                "cannot_write",
                f"The files could not be written into '{folder}' ({error}).",
                "Choose a folder that you may write to, with enough free space.",
            ) from None
        return f"{len(written)} files: {name}."

    def _stand(self, context: bpy.types.Context, obj: bpy.types.Object) -> None:
        """Give a face its place beside the others."""
        scene = required(context.scene)
        start = batch.place_of(self._current, scene.cursor.location, units.per_meter(scene))
        placement.stand(context, obj, start)

    def _item(self, context: bpy.types.Context) -> batch.HFFNE_BatchItem | None:
        """The current photo, looked up again; None when it was removed meanwhile."""
        items = batch.queue_of(context).items
        return items[self._current] if 0 <= self._current < len(items) else None

    def _failed(self, context: bpy.types.Context, error: Mapping[str, Any]) -> None:
        item, fatal = self._item(context), error["code"] in FATAL
        if fatal:
            session.fail(dict(error))
            self._stop = reporting.text_of(error)
        if item is not None:
            # After a fatal error another engine may succeed with this photo.
            item.state, item.message = ("WAITING", "") if fatal else ("FAILED", error["message"])
