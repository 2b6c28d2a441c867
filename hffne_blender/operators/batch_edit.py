# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.batch_edit`: remove photos from the queue, or set them back to waiting."""

import bpy

from .. import batch
from ..engine import session
from .bases.types import OperatorResult


class HFFNE_OT_batch_edit(bpy.types.Operator):
    """Remove photos from the queue, or try them again; faces already built stay in the scene"""

    bl_idname = "hffne.batch_edit"
    bl_label = "Edit Queue"
    bl_options = {"REGISTER", "UNDO"}

    action: bpy.props.EnumProperty(
        name="Action",
        description="Change to make",
        items=(
            ("REMOVE", "Remove", "Remove the photo from the queue"),
            ("RETRY", "Try Again", "Set the photo back to waiting for the next run"),
            ("CLEAR_DONE", "Remove Done", "Remove all photos that are done"),
            ("CLEAR", "Remove All", "Empty the queue"),
        ),
        options={"SKIP_SAVE"},
    )
    index: bpy.props.IntProperty(
        name="Index", description="Index of the photo, from 0; -1 is the active one", default=-1, min=-1,
        options={"SKIP_SAVE"},
    )  # fmt: skip

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if session.running():
            cls.poll_message_set("The queue is running")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        queue = batch.queue_of(context)
        if self.action in ("CLEAR", "CLEAR_DONE"):
            for index in reversed(range(len(queue.items))):
                if self.action == "CLEAR" or queue.items[index].state == "DONE":
                    queue.items.remove(index)
        else:
            index = queue.active if self.index < 0 else self.index
            if not 0 <= index < len(queue.items):
                self.report({"ERROR"}, f"The queue has no photo {index}. It has {len(queue.items)}.")
                return {"CANCELLED"}
            if self.action == "REMOVE":
                queue.items.remove(index)
            else:
                queue.items[index].state, queue.items[index].message = "WAITING", ""
        queue.active = max(0, min(queue.active, len(queue.items) - 1))
        return {"FINISHED"}
