# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.batch_edit`: take photos out of the queue, or put them back to be tried again."""

import bpy

from ..engine import session


class HFFNE_OT_batch_edit(bpy.types.Operator):
    """Take photos out of the queue, or try them again; faces already made stay in the scene"""

    bl_idname = "hffne.batch_edit"
    bl_label = "Edit Queue"
    bl_options = {"REGISTER", "UNDO"}

    action: bpy.props.EnumProperty(
        name="Action",
        description="What to do",
        items=(
            ("REMOVE", "Remove", "Take the photo out of the queue"),
            ("RETRY", "Try Again", "Let the photo wait for the next run"),
            ("CLEAR_DONE", "Remove Done", "Take all photos out that are done"),
            ("CLEAR", "Remove All", "Empty the queue"),
        ),
        options={"SKIP_SAVE"},
    )
    index: bpy.props.IntProperty(
        name="Index", description="Which photo, from 0; -1 is the active one", default=-1, min=-1, options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context):
        if session.running():
            cls.poll_message_set("The queue is being worked on")
            return False
        return True

    def execute(self, context):
        queue = context.scene.hffne_batch
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
