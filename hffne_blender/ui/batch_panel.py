# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the panel for many photos: the queue with the state of each, and several photos of one face."""

import os

import bpy

from .. import batch
from ..engine import session
from .panel import _Panel, draw_progress, draw_text


class HFFNE_UL_batch(bpy.types.UIList):
    bl_idname = "HFFNE_UL_batch"

    def draw_item(self, context, layout, data, item, icon, active_data, active_property):
        row = layout.row()
        row.alert = item.state == "FAILED"
        row.label(text=os.path.basename(item.photo), icon=batch.ICONS[item.state])


class HFFNE_PT_batch(_Panel, bpy.types.Panel):
    bl_idname = "HFFNE_PT_batch"
    bl_parent_id = "HFFNE_PT_face"
    bl_label = "Many Photos"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout = self.layout
        queue = context.scene.hffne_batch
        row = layout.row()
        row.template_list("HFFNE_UL_batch", "", queue, "items", queue, "active", rows=4)
        column = row.column(align=True)
        column.operator_context = "INVOKE_DEFAULT"
        column.operator("hffne.batch_add", text="", icon="ADD")
        column.operator("hffne.batch_edit", text="", icon="REMOVE").action = "REMOVE"
        column.operator("hffne.batch_edit", text="", icon="FILE_REFRESH").action = "RETRY"
        column.operator("hffne.batch_edit", text="", icon="TRASH").action = "CLEAR_DONE"
        if queue.items:
            chosen = queue.items[min(queue.active, len(queue.items) - 1)]
            if chosen.message:
                draw_text(context, layout, chosen.message, icon=batch.ICONS[chosen.state])
            found = batch.counts(queue)
            layout.label(
                text=", ".join(f"{found[name]} {label.lower()}" for name, label, *_ in batch.STATES if found[name])
            )
            row = layout.row(align=True)
            row.operator_context = "INVOKE_DEFAULT"
            if session.running():
                draw_progress(row, session.state.task)
            else:
                row.operator("hffne.batch_run", icon="PLAY")
                if found["FAILED"]:
                    row.operator("hffne.batch_run", text="Retry Failed", icon="FILE_REFRESH").retry = True
        column = layout.column()
        column.operator_context = "INVOKE_DEFAULT"
        column.operator("hffne.merge_photos", icon="COMMUNITY")
