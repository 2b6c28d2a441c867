# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.merge_photos`: one face from several photos of the same person."""

import json
import os
from functools import partial

import bpy

from .. import settings
from ..character.errors import TransferError
from ..numeric.received_face import ReceivedFace
from ..scene import face
from . import ask
from .background import InBackground


class HFFNE_OT_merge_photos(InBackground, bpy.types.Operator):
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

    # One request, and then the building of the face.
    share = 0.95

    @classmethod
    def poll(cls, context):
        return ask.poll(cls, context)

    def invoke(self, context, event):
        settings.take_over(self, context)
        if self.photos or self.files:
            return self.begin(context)
        self._browsed = True
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def again(self):
        options = self.as_keywords(ignore=("directory", "files", "filter_image", "filter_folder"))
        return {**options, "photos": json.dumps(self._paths())}

    def work(self, context):
        paths = self._paths()
        asset = yield partial(ReceivedFace.from_answer, *(yield settings.request(self, photos=paths, face="largest")))
        yield "Building the face"
        obj = yield from face.build_steps(asset, partial(ask.place, context), self.color)
        ask.show(self, context, obj, asset.notices)
        self.report({"INFO"}, f"{obj.name}: merged from {len(paths)} photos")

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
