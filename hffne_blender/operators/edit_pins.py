# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.edit_pins`: look through the photo's camera at the face, to drag points of it over the photo."""

import os

import bpy

from .. import settings
from ..character.errors import TransferError
from ..pins import editing, overlay, photo_region
from ..scene import camera, photo_source
from ..studio import photo_view
from ..system.required import required
from .bases import reporting, viewport, windows
from .bases.background import Work
from .bases.pin_change import OnPins
from .bases.types import OperatorResult

# Pixels of the picture over which pins are dragged.
PICTURE = 1024


class HFFNE_OT_edit_pins(OnPins, bpy.types.Operator):
    """Correct the fit: drag points of the face over its photo. Press again when you are done"""

    bl_idname = "hffne.edit_pins"
    bl_label = "Correct the Fit"
    bl_options = {"UNDO"}

    photo: settings.photo_number_property(options={"SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        number, obj = getattr(properties, "photo", 0), editing.face(context)
        paths = photo_source.paths_of(obj) if obj is not None else []
        if 0 < number <= len(paths):
            return f"Set pins over this photo of the person, {os.path.basename(paths[number - 1])}"
        return str(cls.__doc__)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        obj = required(editing.face(context))
        if photo_source.request_of(obj) is None:
            cls.poll_message_set("The photo of this face is not known or not there; generate the face again")
            return False
        return True

    def work(self, context: bpy.types.Context) -> Work:
        obj = self.target(context)
        seen = camera.shown(obj)
        square, photos = overlay.square_of(seen), photo_source.paths_of(obj)
        photo = photos[min(seen["photo"], len(photos) - 1)]
        x, y, side = square
        about = {"type": "picture", "photo": photo, "center_x": x, "center_y": y, "side": side, "size": PICTURE}
        _, arrays = yield about
        overlay.set_photo(self.target(context), square, arrays["picture"])
        windows.redraw_viewports_and_preferences(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        view = viewport.viewport_of(context)
        if view is None or view.region_3d is None:
            self.report({"ERROR"}, "There is no 3D viewport in this window")
            return {"CANCELLED"}
        if editing.is_on(context) and not self.photo:
            editing.switch(False)
            viewport.leave_camera(context, view)
            return {"FINISHED"}
        scene, obj = required(context.scene), self.target(context)
        if self.photo:
            try:
                self.over_photo(obj, self.photo)
            except TransferError as error:
                return reporting.fail(self, error)
        photo_view.add(scene, obj)
        view.camera = scene.camera
        viewport.look_through_camera(context, view)
        for other in context.selected_objects:
            other.select_set(False)
        obj.select_set(True)
        required(context.view_layer).objects.active = obj
        editing.switch(True)
        area = viewport.area_of(context, view)
        if area is not None and scene.camera is not None:
            photo_region.frame(area, obj, scene.camera, overlay.square_of(camera.shown(obj)))
        return {"FINISHED"} if overlay.has_photo(obj) else self.begin(context)
