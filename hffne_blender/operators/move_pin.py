# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.move_pin`: drag a point of a face over its photo; the face follows, and its maps are projected anew.

bpy.ops.hffne.move_pin(start=(221, 179), to=(221, 185))    pixels of the photo that is shown
"""

from collections.abc import Sequence

import bpy
import numpy as np

from .. import settings
from ..character.errors import TransferError
from ..engine import session
from ..pins import editing, overlay, photo_region, stored
from ..pins.shape_change import ShapeChange
from ..pins.stored import Pin
from ..system.required import required
from .bases import viewport
from .bases.background import Work
from .bases.pin_change import OnPins
from .bases.types import OperatorResult

# Pixels of the viewport within which a pin or a landmark is taken, at the interface's usual size.
REACH = 9


class HFFNE_OT_move_pin(OnPins, bpy.types.Operator):
    """Drag a point of the face over the photo; a click adds a pin that holds the point"""

    bl_idname = "hffne.move_pin"
    bl_label = "Move Pin"
    bl_options = {"UNDO"}

    start: bpy.props.FloatVectorProperty(
        name="Start", description="Pixel of the photo where the point of the face is", size=2, options={"SKIP_SAVE"}
    )
    to: bpy.props.FloatVectorProperty(
        name="To", description="Pixel of the photo where it should be", size=2, options={"SKIP_SAVE"}
    )
    reach: bpy.props.FloatProperty(
        name="Reach",
        description="Pixels of the photo from the start within which a pin or a landmark is taken",
        default=3.0,
        min=0.0,
        options={"SKIP_SAVE"},
    )
    photo: settings.photo_number_property(options={"SKIP_SAVE"})
    mirrored: bpy.props.BoolProperty(
        name="Mirrored", description="The other side of the face follows, mirrored", options={"SKIP_SAVE"}
    )

    # While the button is down: the change, its pins, which of them is dragged, and from where in the region.
    _change: ShapeChange | None = None
    _pins: Sequence[Pin] = ()
    _which = 0
    _grabbed = np.zeros(2)
    _moved = _dropped = False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        obj = required(editing.face(context))
        region = photo_region.of_context(context, obj)
        if region is None:
            return {"PASS_THROUGH"}
        self.face, self.mirrored = obj.name, settings.of(context).mirror_pins
        mouse = region.to_photo(event.mouse_region_x, event.mouse_region_y)
        self.reach = REACH * (required(context.preferences).system.ui_scale or 1) * region.step
        change = ShapeChange(obj)
        try:
            self._pins, self._which = self._grab(change, mouse)
        except TransferError as error:
            self.report({"INFO"}, error.message)
            return {"CANCELLED"}
        self._change, self._grabbed, self._moved = change, mouse, False
        self.is_modal = True
        overlay.set_dragged(obj.name, self._pins)
        required(context.window_manager).modal_handler_add(self)
        required(context.area).tag_redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if self._change is not None:
            return self._drag(context, event, self._change)
        # The next pin, or an undo, while the maps are projected: they are out of date.
        undone = event.type == "Z" and (event.ctrl or event.oskey)
        clicked = event.type in ("LEFTMOUSE", "RIGHTMOUSE") and viewport.is_over_view(context.area, event)
        if event.value == "PRESS" and (undone or clicked):
            session.cancel()
            session.work(None)
            self._end(context)
            return {"FINISHED", "PASS_THROUGH"}
        return super().modal(context, event)

    def cancel(self, context: bpy.types.Context) -> None:
        overlay.set_dragged(self.face, None)
        if self._change is None:
            super().cancel(context)

    def work(self, context: bpy.types.Context) -> Work:
        if not self._dropped:
            if self.photo:
                self.over_photo(self.target(context), self.photo)
            self.change(context, self._wanted)
        yield from self.maps(context)
        self.report({"INFO"}, f"{self.face}: {stored.counted(self.target(context))}")

    def _wanted(self, change: ShapeChange) -> Sequence[Pin]:
        """The pins after the change that a script asks for."""
        pins, which = self._grab(change, np.array(self.start))
        offset = np.array(self.to) - np.array(self.start)
        return _with(pins, which, np.array(pins[which].at) + offset)

    def _grab(self, change: ShapeChange, pixel: np.ndarray) -> tuple[list[Pin], int]:
        """The pins with the one at a pixel of the photo, which is a new one where there is none; and its number.

        Raises TransferError beside the face.
        """
        pins = list(change.face.pins)
        places = stored.places(pins, change.face.camera["photo"])
        which = photo_region.nearest(places, pixel.tolist(), self.reach)
        if which >= 0:
            return pins, which
        if len(pins) >= stored.MOST:
            raise TransferError("pins", f"A face can have {stored.MOST} pins.", "Remove one first.")
        pin = change.face.new_pin(change.points, pixel, self.reach, self.mirrored)
        if pin is None:
            raise TransferError("pins", "There is no point of the face here.", "Click on the face.")
        return [*pins, pin], len(pins)

    def _drag(self, context: bpy.types.Context, event: bpy.types.Event, change: ShapeChange) -> OperatorResult:
        """The events while the button is down."""
        if event.type == "MOUSEMOVE":
            region = photo_region.of_context(context, required(bpy.data.objects.get(self.face)))
            if region is not None:
                mouse = region.to_photo(event.mouse_region_x, event.mouse_region_y)
                self._moved = True
                held = self._pins[self._which]
                self._pins = _with(self._pins, self._which, np.array(held.at) + mouse - self._grabbed)
                self._grabbed = mouse
                change.show(self._pins)
                overlay.set_dragged(self.face, self._pins)
                required(context.area).tag_redraw()
            return {"RUNNING_MODAL"}
        if event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS":
            change.undo()
            self._stop_dragging(context)
            return {"CANCELLED"}
        if event.type == "LEFTMOUSE" and event.value == "RELEASE":
            return self._drop(context, change)
        return {"RUNNING_MODAL"}

    def _stop_dragging(self, context: bpy.types.Context) -> None:
        self._change = None
        overlay.set_dragged(self.face, None)
        required(context.area).tag_redraw()

    def _drop(self, context: bpy.types.Context, change: ShapeChange) -> OperatorResult:
        """The button is up: go on beside the user until the maps are there, so that all of it is one step to undo."""
        obj = self.target(context)
        projected = stored.is_projected(obj)
        change.keep(self._pins)
        self._stop_dragging(context)
        self._dropped = True
        if projected and not self._moved:
            # A point that is held where it is changes nothing.
            stored.set_projected(obj, obj[stored.PROPERTY])
            return {"FINISHED"}
        return self.begin(context)


def _with(pins: Sequence[Pin], which: int, at: np.ndarray) -> list[Pin]:
    """The pins with one of them at another pixel of the photo."""
    return [pin.moved(at.tolist()) if number == which else pin for number, pin in enumerate(pins)]
