# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel for many photos: the queue with the state of each, and several photos of one face."""

import os
from typing import Any

import bpy

from .. import batch
from ..engine import session
from ..system.required import required
from .layouts import MAIN_BUTTON, SidebarPanel, draw_progress, draw_text


class HFFNE_UL_batch(bpy.types.UIList):
    """The list of the queue: file name and state."""

    bl_idname = "HFFNE_UL_batch"

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any | None,
        item: Any | None,
        icon: int | None,
        active_data: Any,
        active_property: str | None,
        index: int | None = 0,
        flt_flag: int | None = 0,
    ) -> None:
        photo: batch.HFFNE_BatchItem = required(item)
        row = layout.row()
        row.alert = photo.state == "FAILED"
        row.label(text=os.path.basename(photo.photo), icon=batch.ICONS[photo.state])


class HFFNE_PT_batch(SidebarPanel, bpy.types.Panel):
    """The queue and the buttons that fill and run it."""

    bl_idname = "HFFNE_PT_batch"
    bl_parent_id = "HFFNE_PT_face"
    bl_label = "Many Photos"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = required(self.layout)
        queue = batch.queue_of(context)
        row = layout.row()
        row.template_list("HFFNE_UL_batch", "", queue, "items", queue, "active", rows=4)
        column = row.column(align=True)
        column.operator_context = "INVOKE_DEFAULT"
        column.operator("hffne.batch_add", text="", icon="ADD")
        column.operator("hffne.batch_edit", text="", icon="REMOVE").action = "REMOVE"
        column.operator("hffne.batch_edit", text="", icon="FILE_REFRESH").action = "RETRY"
        column.operator("hffne.batch_edit", text="", icon="TRASH").action = "CLEAR_DONE"
        if queue.items:
            count = batch.counts(queue)
            layout.label(
                text=", ".join(f"{count[name]} {label.lower()}" for name, label, *_ in batch.STATES if count[name])
            )
            layout.prop(queue, "files_only")
            if queue.files_only:
                layout.prop(queue, "folder", text="")
            if session.running():
                draw_progress(layout, session.state.task)
            else:
                row = layout.row(align=True)
                row.scale_y = MAIN_BUTTON
                row.operator_context = "INVOKE_DEFAULT"
                row.operator("hffne.batch_run", icon="PLAY")
                if count["FAILED"]:
                    row.operator("hffne.batch_run", text="Retry Failed", icon="FILE_REFRESH").retry = True
        column = layout.column()
        column.operator_context = "INVOKE_DEFAULT"
        column.operator("hffne.merge_photos", icon="COMMUNITY")
        if queue.items:
            selected = queue.items[min(queue.active, len(queue.items) - 1)]
            if selected.message:
                # Below the buttons, which must not move while the queue runs; and a text in the place of a progress bar
                # under the mouse is drawn as one by Blender 4.3.
                draw_text(context, layout, selected.message, icon=batch.ICONS[selected.state])
