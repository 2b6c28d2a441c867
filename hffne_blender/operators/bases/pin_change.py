# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that change the pins of a face: the shape follows at once, and then the engine projects the maps anew."""

from collections.abc import Callable, Sequence

import bpy

from ...character.errors import TransferError
from ...pins import editing, projection, stored
from ...pins.shape_change import ShapeChange
from ...pins.stored import Pin
from ...scene import camera, face_attributes
from ...system.required import required
from .background import InBackground, Work
from .polls import NO_FACE, engine_idle, object_mode
from .types import OperatorResult


class OnPins(InBackground):
    """An operator on the pins of a face; what it has done to the shape stays when the engine fails."""

    face: bpy.props.StringProperty(
        name="Face", description="The face object; empty uses the active one", options={"SKIP_SAVE"}
    )
    project: bpy.props.BoolProperty(
        name="Project Maps",
        description="Project the maps on the corrected shape afterwards",
        default=True,
        options={"SKIP_SAVE"},
    )

    # One request, and then the building of the maps.
    share = 0.9

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not (engine_idle(cls, context) and object_mode(cls, context)):
            return False
        if editing.face(context) is None:
            cls.poll_message_set(NO_FACE)
            return False
        return True

    def target(self, context: bpy.types.Context) -> bpy.types.Object:
        """The face object. Raises TransferError where there is none."""
        obj = bpy.data.objects.get(self.face) if self.face else editing.face(context)
        if obj is None or not face_attributes.is_face(obj):
            raise TransferError("no_face_object", "No face from a photo is chosen.", "Select a face.")
        self.face = obj.name
        return obj

    def over_photo(self, obj: bpy.types.Object, number: int) -> None:
        """Take the pins over another photo of the face, from 1. Raises TransferError where there is none."""
        try:
            camera.show(obj, number - 1)
        except ValueError as error:
            raise TransferError("pins", str(error), "Merge its photos again.") from None

    def change(self, context: bpy.types.Context, wanted: Callable[[ShapeChange], Sequence[Pin]]) -> None:
        """Change the pins to those that `wanted` returns, and the shape with them."""
        change = ShapeChange(self.target(context))
        change.keep(wanted(change))
        required(context.view_layer).update()

    def maps(self, context: bpy.types.Context) -> Work:
        """Project the maps for the pins as they are now."""
        if not self.project:
            return
        obj = self.target(context)
        pins = str(obj.get(stored.PROPERTY, "[]"))
        answer = yield projection.request(obj)
        yield from projection.take(context, self.face, answer, pins)

    def cancelled(self, context: bpy.types.Context) -> OperatorResult:
        # The shape has changed, so there is something to undo.
        self.report({"INFO"}, "The maps were not projected: press Project Maps when you want them")
        return {"FINISHED"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        result = super().modal(context, event)
        return {"FINISHED"} if result == {"CANCELLED"} else result
