# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.generate`: a photo in, a face object out.

From the panel it is modal: the engine works in its own process and a timer looks
after it, so that Blender stays usable. From a script, and wherever there is no
window, it returns when the face is built.
"""

import os
from functools import partial

import bpy

from .. import settings
from ..engine import session
from ..engine.client import EngineError
from ..numeric.received_face import ReceivedFace, ReceivedFaceError
from ..photo import image_file
from ..scene import face
from ..system import jobs
from . import ask

# Not carried over from the last use: what the panel says now counts.
OPTIONS = {"SKIP_SAVE"}


class HFFNE_OT_generate(ask.Advancing, bpy.types.Operator):
    """Build a face with a detailed normal map from the photo"""

    bl_idname = "hffne.generate"
    bl_label = "Generate Face"
    bl_options = {"REGISTER", "UNDO"}

    photo: settings.photo_property(options=OPTIONS)
    image: settings.image_name_property(options=OPTIONS)
    face: settings.face_property(options=OPTIONS)
    texture_size: settings.texture_size_property(options=OPTIONS)
    grid: settings.grid_property(options=OPTIONS)
    color: settings.color_property(options=OPTIONS)
    maps: settings.maps_property(options=OPTIONS)
    texture_pixels: bpy.props.IntProperty(
        name="Texture Pixels",
        description="Side of the textures when none of the usual sizes will do; 0 takes Texture Size",
        default=0,
        min=0,
        max=4096,
        options={"HIDDEN", "SKIP_SAVE"},
    )
    engine_python: ask.engine_python_property()
    device: ask.device_property()
    crop_size: bpy.props.IntProperty(
        name="Crop Size",
        description="Side of the crop that the fine network sees, a multiple of 32 from 256; 0 is the engine's own",
        default=0,
        min=0,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    in_background: ask.in_background_property()

    _ran = False
    _task = None
    _file = None
    _request = None
    _steps = None

    @classmethod
    def poll(cls, context):
        return ask.poll(cls, context)

    def invoke(self, context, event):
        settings.take_photo(self, context)
        settings.take_over(self, context, ("face", "texture_size", "grid", "color", "maps"))
        return self._begin(context) if ask.has_window(context) else self.execute(context)

    def _begin(self, context):
        self._ran = True
        if not self._start(context):
            return {"CANCELLED"}
        return self.start_advancing(context)

    def end(self, context):
        super().end(context)
        self._close_photo()

    def _close_photo(self):
        if self._file is not None:
            self._file.close()
            self._file = None

    def execute(self, context):
        settings.take_photo(self, context)
        # Redoing with other colors needs nothing new from the engine.
        answer = None if self.image else session.remembered(self._wanted(self.photo and bpy.path.abspath(self.photo)))
        if answer is not None:
            return self._build(context, answer)
        if self._ran and ask.has_window(context):
            return ask.run_again(self, context, self.as_keywords())
        if self.in_background and ask.has_window(context):
            return self._begin(context)
        self._ran = True
        if not self._start(context):
            return {"CANCELLED"}
        try:
            session.wait(self._task)
        finally:
            self._close_photo()
        return self._failed() or self._build(context, self._task.result)

    def draw(self, context):
        layout = self.layout
        layout.use_property_split = True
        for name in ("texture_size", "grid", "color"):
            layout.prop(self, name)
        layout.column().prop(self, "maps")

    def _wanted(self, path):
        """The request as the engine understands it."""
        # An engine of an earlier version knows no "size": it is left out where nothing is asked.
        size = {"size": self.crop_size} if self.crop_size else {}
        pixels = {"texture_size": self.texture_pixels} if self.texture_pixels else {}
        photo = os.path.abspath(path) if path else ""
        return settings.request(self, photo=photo, face=self.face - 1 if self.face else "largest", **size, **pixels)

    def _start(self, context):
        session.forget_error()
        try:
            self._file = image_file.find(self.photo, self.image)
            self._request = self._wanted(self._file.path)
            self._task = ask.start(context, self, self._request)
        except EngineError as error:
            self._close_photo()
            ask.fail(self, error)
            return False
        return True

    def advance(self, context):
        if self._steps is None:
            session.poll()
            if not self._task.over:
                return None
            failed = self._failed()
            if failed is None:
                self._steps = session.build(jobs.Steps(self._building(context, self._task.result)))
            return failed
        try:
            self._steps.advance()
        except ReceivedFaceError as error:
            return ask.fail_asset(self, error)
        if self._steps.cancelled:
            self.report({"INFO"}, "Cancelled")
            return {"CANCELLED"}
        return {"FINISHED"} if self._steps.over else None

    def _failed(self):
        """The operator's state when the engine has no answer, else None."""
        if self._task.status == "cancelled":
            self.report({"INFO"}, "Cancelled")
            return {"CANCELLED"}
        if self._task.status == "error":
            return ask.fail(self, self._explained(self._task.error))
        session.remember(self._request, self._task.result)
        return None

    def _explained(self, error):
        """Of an open image the name is told, not where its copy was."""
        if not self.image:
            return error
        folder = os.path.dirname(self._request["photo"]) + os.sep
        return {**error, "message": error["message"].replace(folder, "")}

    def _build(self, context, answer):
        try:
            jobs.run(self._building(context, answer))
        except ReceivedFaceError as error:
            return ask.fail_asset(self, error)
        return {"FINISHED"}

    def _building(self, context, answer):
        """From the engine's answer to the selected object, in slices; the scene changes in the last one only."""
        asset = yield partial(ReceivedFace.from_answer, *answer)
        # The user may have gone on working while the engine did.
        obj = yield from face.build_steps(asset, partial(ask.place, context), self.color)
        ask.show(self, context, obj, asset.notices)
        self.report({"INFO"}, f"{obj.name}: {len(asset.vertices)} vertices, {len(asset.normal)} px textures")
