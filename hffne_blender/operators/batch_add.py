# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.batch_add`: add photos to the queue."""

import os

import bpy

from .. import batch
from ..system.photo_formats import FORMAT_NAMES
from ..system.required import required
from .bases import photo_browser
from .bases.types import OperatorResult


class HFFNE_OT_batch_add(photo_browser.PhotoBrowser, bpy.types.Operator):
    """Add photos to the queue: the chosen files, or all photos of the chosen folder"""

    bl_idname = "hffne.batch_add"
    bl_label = "Add Photos"
    bl_options = {"REGISTER", "UNDO"}

    directory: bpy.props.StringProperty(
        name="Folder",
        description="The folder; all its photos are added unless files are named",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )
    # The browser's panel of options would be empty.
    hide_props_region: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    files: bpy.props.CollectionProperty(
        name="Files", description="Names in the folder", type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if self.directory:
            return self.execute(context)
        required(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        folder = bpy.path.abspath(self.directory)
        names = [entry.name for entry in self.files if entry.name]
        try:
            paths = [os.path.join(folder, name) for name in names] or batch.photos_in(folder)
        except OSError as error:
            self.report({"ERROR"}, f"The folder {folder} cannot be read ({error.strerror}). Check the path.")
            return {"CANCELLED"}
        if not paths:
            self.report({"ERROR"}, f"There are no photos in {folder}. Photos can be {FORMAT_NAMES}.")
            return {"CANCELLED"}
        count = batch.add(batch.queue_of(context), paths)
        self.report({"INFO"}, f"{count} photos added")
        return {"FINISHED"}
