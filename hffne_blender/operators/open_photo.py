# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.open_photo`: choose a photo's file; Blender also calls it for a file dropped onto the 3D viewport."""

import os
from typing import Any

import bpy

from .. import settings
from ..system import missing_file
from ..system.errors import ExtensionError
from ..system.photo_formats import EXTENSIONS
from ..system.required import required
from .bases import photo_browser, windows
from .bases.types import OperatorResult


class HFFNE_OT_open_photo(photo_browser.PhotoBrowser, bpy.types.Operator):
    """Make a face from this photo: it becomes the panel's photo"""

    bl_idname = "hffne.open_photo"
    bl_label = "Face From Photo"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(
        name="Photo", description="A photo with a face", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    # The browser's panel of options would be empty.
    hide_props_region: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    generate: bpy.props.BoolProperty(
        name="Generate", description="Build the face at once", default=False, options={"HIDDEN", "SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if self.filepath:
            return self.execute(context)
        required(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        path = os.path.abspath(bpy.path.abspath(self.filepath)) if self.filepath else ""
        if not path:
            self.report({"ERROR"}, "No photo is chosen. Choose a file.")
            return {"CANCELLED"}
        try:
            missing_file.check(path)
        except ExtensionError as error:
            self.report({"ERROR"}, f"{error.message} {error.hint}")
            return {"CANCELLED"}
        chosen = settings.of(context)
        chosen.source = "FILE"
        chosen.photo = path
        if isinstance(context.space_data, bpy.types.SpaceView3D):
            # Show that a dropped photo has arrived.
            context.space_data.show_region_ui = True
        if self.generate:
            return self._start(context)
        return {"FINISHED"}

    def _start(self, context: bpy.types.Context) -> OperatorResult:
        """Press Generate Face for the user."""
        operators: Any = bpy.ops
        if not windows.has_window(context):
            return operators.hffne.generate()

        def start() -> None:
            # The window of the file browser is closed by now.
            shown = list(required(bpy.context.window_manager).windows)
            if shown:
                with bpy.context.temp_override(window=shown[0]):
                    if operators.hffne.generate.poll():
                        operators.hffne.generate("INVOKE_DEFAULT", True)

        bpy.app.timers.register(start, first_interval=0)
        return {"FINISHED"}


class HFFNE_FH_photo(bpy.types.FileHandler):
    """Offers `open_photo` for files that are dropped onto a 3D viewport."""

    bl_idname = "HFFNE_FH_photo"
    bl_label = "Face From Photo"
    bl_import_operator = "hffne.open_photo"
    bl_file_extensions = ";".join(EXTENSIONS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"
