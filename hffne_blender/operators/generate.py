# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.generate`: a photo in, a face object out.

From the panel it is modal: the engine works in its own process and a timer looks
after it, so that Blender stays usable. From a script, and wherever there is no
window, it returns when the face is built.
"""

import os
from functools import partial

import bpy

from .. import preferences, settings
from ..engine import launch, session
from ..engine.client import EngineError
from ..scene import face, steps
from ..scene.asset import AssetError, FaceAsset

TICK = 0.05
# Not carried over from the last use: what the panel says now counts.
OPTIONS = {"SKIP_SAVE"}


class HFFNE_OT_generate(bpy.types.Operator):
    """Build a face with a detailed normal map from the photo"""

    bl_idname = "hffne.generate"
    bl_label = "Generate Face"
    bl_options = {"REGISTER", "UNDO"}

    photo: settings.photo_property(options=OPTIONS)
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
    engine_python: bpy.props.StringProperty(
        name="Engine Python",
        description="Use this engine instead of the one in the preferences",
        subtype="FILE_PATH",
        options={"HIDDEN", "SKIP_SAVE"},
    )
    device: bpy.props.StringProperty(
        name="Device",
        description="Use this device instead of the one in the preferences",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    crop_size: bpy.props.IntProperty(
        name="Crop Size",
        description="Side of the crop that the fine network sees, a multiple of 32 from 256; 0 is the engine's own",
        default=0,
        min=0,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    _timer = None
    _task = None
    _request = None
    _steps = None

    @classmethod
    def poll(cls, context):
        if session.running():
            cls.poll_message_set("A face is being generated")
            return False
        if context.mode != "OBJECT":
            cls.poll_message_set("Switch to Object Mode first")
            return False
        return True

    def invoke(self, context, event):
        # The panel's settings, wherever the caller has not said otherwise.
        chosen = context.scene.hffne
        for name in ("photo", "face", "texture_size", "grid", "color", "maps"):
            if not self.properties.is_property_set(name):
                setattr(self, name, getattr(chosen, name))
        if bpy.app.background or context.window is None:
            return self.execute(context)
        if not self._start(context):
            return {"CANCELLED"}
        manager = context.window_manager
        self._timer = manager.event_timer_add(TICK, window=context.window)
        manager.modal_handler_add(self)
        _redraw(context)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        if event.type == "ESC" and event.value == "PRESS":
            session.cancel()
        elif event.type != "TIMER":
            return {"PASS_THROUGH"}
        before = (self._task.progress, self._task.message)
        try:
            result = self._advance(context)
        except BaseException:
            self._stop_timer(context)
            raise
        if result is not None:
            self._stop_timer(context)
        if result is not None or before != (self._task.progress, self._task.message):
            _redraw(context)
        return result or {"PASS_THROUGH"}

    def cancel(self, context):
        # Blender closes the window or loads another file while the engine works.
        session.cancel()
        self._stop_timer(context)

    def execute(self, context):
        # Redoing with other colours needs nothing new from the engine.
        answer = session.remembered(self._wanted())
        if answer is not None:
            return self._build(context, answer)
        if not self._start(context):
            return {"CANCELLED"}
        session.wait(self._task)
        return self._failed() or self._build(context, self._task.result)

    def draw(self, context):
        layout = self.layout
        layout.use_property_split = True
        for name in ("texture_size", "grid", "color"):
            layout.prop(self, name)
        layout.column().prop(self, "maps")

    def _wanted(self):
        """The request as the engine understands it."""
        path = bpy.path.abspath(self.photo) if self.photo else ""
        # An engine of an earlier version knows no "size": it is left out where nothing is asked.
        size = {"size": self.crop_size} if self.crop_size else {}
        return {
            **size,
            "type": "generate",
            "photo": os.path.abspath(path) if path else "",
            "face": self.face - 1 if self.face else "largest",
            "texture_size": self.texture_pixels or int(self.texture_size),
            "grid": int(self.grid),
            # Always with colour: switching it off and on again is then the extension's own affair.
            "color": True,
            "maps": sorted(name.lower() for name in self.maps),
        }

    def _start(self, context):
        session.forget_error()
        request = self._wanted()
        try:
            if not request["photo"]:
                raise EngineError("no_photo", "No photo is chosen.", "Choose one in the panel.")
            if not os.path.isfile(request["photo"]):
                raise EngineError("photo_not_found", f"There is no file {request['photo']}.", "Check the path.")
            self._request = request
            self._task = _start(context, self.engine_python, self.device, request)
        except EngineError as error:
            self._fail(error.as_dict())
            return False
        return True

    def _advance(self, context):
        """A tick's worth of work; returns the operator's state at the end, else None. Never waits."""
        if self._steps is None:
            session.poll()
            if not self._task.over:
                return None
            failed = self._failed()
            if failed is None:
                self._steps = session.build(steps.Steps(self._building(context, self._task.result)))
            return failed
        try:
            self._steps.advance()
        except AssetError as error:
            return self._bad_asset(error)
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
            return self._fail(self._task.error)
        session.remember(self._request, self._task.result)
        return None

    def _build(self, context, answer):
        try:
            steps.run(self._building(context, answer))
        except AssetError as error:
            return self._bad_asset(error)
        return {"FINISHED"}

    def _building(self, context, answer):
        """From the engine's answer to the selected object, in slices; the scene changes in the last one only."""
        asset = yield partial(FaceAsset.from_answer, *answer)
        obj = yield from face.build_steps(asset, partial(self._place, context), self.color)
        obj.location = context.scene.cursor.location
        for other in context.selected_objects:
            other.select_set(False)
        # An excluded or hidden collection leaves the object out of the view layer.
        if obj.name in context.view_layer.objects:
            obj.select_set(True)
            context.view_layer.objects.active = obj
        for notice in asset.notices:
            self.report({"WARNING"}, notice)
        self.report({"INFO"}, f"{obj.name}: {len(asset.vertices)} vertices, {len(asset.normal)} px textures")

    def _place(self, context):
        # The user may have gone on working while the engine did.
        if context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        return context.collection

    def _bad_asset(self, error):
        hint = "Install the engine and the extension in the same version."
        return self._fail({"code": "bad_asset", "message": str(error), "hint": hint})

    def _fail(self, error):
        session.fail(error)
        self.report({"ERROR"}, " ".join(part for part in (error["message"], error["hint"]) if part))
        return {"CANCELLED"}

    def _stop_timer(self, context):
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None


def _start(context, engine_python, device, request):
    chosen = preferences.get(context)
    device = device or ("" if chosen.device == "auto" else chosen.device)
    python = launch.find_python(engine_python, bpy.path.abspath(chosen.engine_python))
    idle = chosen.idle_minutes * 60 if chosen.idle_minutes else None
    model = "" if chosen.model == "compact" else chosen.model
    return session.start(python, device, idle, not bpy.app.background, request, model)


def _redraw(context):
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
