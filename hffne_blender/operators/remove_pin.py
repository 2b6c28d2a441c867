# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.remove_pin`: remove a pin, or all of them; the face goes back where they held it.

bpy.ops.hffne.remove_pin(all=True)
"""

import bpy

from ..character.errors import TransferError
from ..pins import editing, photo_region, stored
from ..system.required import required
from .bases.background import Work
from .bases.pin_change import OnPins
from .bases.types import OperatorResult
from .move_pin import REACH


class HFFNE_OT_remove_pin(OnPins, bpy.types.Operator):
    """Remove the pin under the mouse, or all pins of the face"""

    bl_idname = "hffne.remove_pin"
    bl_label = "Remove Pin"
    bl_options = {"UNDO"}

    pin: bpy.props.IntProperty(
        name="Pin", description="Number of the pin, from 0", default=-1, min=-1, options={"SKIP_SAVE"}
    )
    all: bpy.props.BoolProperty(name="All", description="Remove all pins of the face", options={"SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        if getattr(properties, "all", False):
            return "Remove all pins: the face has the shape again that was found on the photo"
        return "Remove a pin"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if not self.all and self.pin < 0:
            obj = required(editing.face(context))
            region = photo_region.of_context(context, obj)
            if region is None:
                return {"PASS_THROUGH"}
            places = stored.places(stored.load(obj), region.camera["photo"])
            reach = REACH * (required(context.preferences).system.ui_scale or 1) * region.step
            mouse = region.to_photo(event.mouse_region_x, event.mouse_region_y)
            self.pin = photo_region.nearest(places, mouse.tolist(), reach)
            if self.pin < 0:
                return {"PASS_THROUGH"}
        return self.begin(context)

    def work(self, context: bpy.types.Context) -> Work:
        obj = self.target(context)
        pins = stored.load(obj)
        if not self.all and not 0 <= self.pin < len(pins):
            raise TransferError("pins", f"There is no pin {self.pin}.", "Name one from 0 on.")
        kept = [] if self.all else [pin for number, pin in enumerate(pins) if number != self.pin]
        self.change(context, lambda change: kept)
        yield from self.maps(context)
        self.report({"INFO"}, f"{self.face}: {stored.counted(self.target(context))}")
