# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.merge_photos`: one face from several photos of the same person."""

import json
import os

import bpy

from .. import settings
from ..character.source import TransferError
from ..scene import face
from ..scene.asset import AssetError, FaceAsset
from . import ask


class HFFNE_OT_merge_photos(bpy.types.Operator):
    """Build one face from several photos of the same person, such as from the left, the front and the right"""

    bl_idname = "hffne.merge_photos"
    bl_label = "Face From Several Photos"
    bl_options = {"REGISTER", "UNDO"}

    photos: bpy.props.StringProperty(
        name="Photos", description="The paths as a JSON list, for scripts", options={"HIDDEN", "SKIP_SAVE"}
    )
    directory: bpy.props.StringProperty(
        name="Folder", description="The folder of the files", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    files: bpy.props.CollectionProperty(
        name="Files", description="Names in the folder", type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE"}
    )
    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    texture_size: settings.texture_size_property(options={"SKIP_SAVE"})
    grid: settings.grid_property(options={"SKIP_SAVE"})
    color: settings.color_property(options={"SKIP_SAVE"})
    maps: settings.maps_property(options={"SKIP_SAVE"})
    engine_python: ask.engine_python_property()
    device: ask.device_property()

    @classmethod
    def poll(cls, context):
        return ask.poll(cls, context)

    def invoke(self, context, event):
        settings.take_over(self, context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context):
        try:
            request = settings.request(self, photos=self._paths(), face="largest")
            asset = FaceAsset.from_answer(*ask.engine(context, self)(request))
        except AssetError as error:
            return ask.fail_asset(self, error)
        except TransferError as error:
            return ask.fail(self, error)
        obj = face.build(asset, ask.place(context), self.color)
        ask.show(self, context, obj, asset.notices)
        self.report({"INFO"}, f"{obj.name}: merged from {len(request['photos'])} photos")
        return {"FINISHED"}

    def _paths(self):
        paths = [os.path.join(self.directory, entry.name) for entry in self.files if entry.name]
        if self.photos:
            try:
                given = json.loads(self.photos)
            except ValueError:
                given = None
            if not isinstance(given, list) or not all(isinstance(path, str) for path in given):
                raise TransferError("bad_request", "'photos' is a JSON list of paths.", "Use json.dumps([...]).")
            paths += given
        paths = [os.path.abspath(bpy.path.abspath(path)) for path in paths]
        if len(paths) < 2:
            raise TransferError("few_photos", "Two or more photos are needed.", "Select several files.")
        for path in paths:
            if not os.path.isfile(path):
                raise TransferError("photo_not_found", f"There is no file {path}.", "Check the path.")
        return paths
