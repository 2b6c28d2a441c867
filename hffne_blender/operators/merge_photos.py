# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.merge_photos`: one face from several photos of the same person."""

import json
import os
from typing import Any

import bpy

from ..character.errors import TransferError
from ..scene import photo_source
from ..system import missing_file
from ..system.required import required
from .bases import new_face, photo_browser
from .bases.background import InBackground, Work
from .bases.properties import FaceOptions
from .bases.types import OperatorResult


class HFFNE_OT_merge_photos(photo_browser.PhotoBrowser, FaceOptions, InBackground, bpy.types.Operator):
    """Build one face from several photos of the same person, such as from the left, the front and the right"""

    bl_idname = "hffne.merge_photos"
    bl_label = "Face From Several Photos"
    bl_options = {"REGISTER", "UNDO"}

    photos: bpy.props.StringProperty(
        name="Photos", description="The paths as a JSON list, for scripts", options={"HIDDEN", "SKIP_SAVE"}
    )
    directory: bpy.props.StringProperty(
        name="Folder", description="Folder of the files", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    files: bpy.props.CollectionProperty(
        name="Files", description="Names in the folder", type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE"}
    )

    makes_face = True
    # One request, and then the building of the face.
    share = 0.95

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        self.use_panel_settings(context)
        if self.photos or self.files:
            return self.begin(context)
        self._browsed = True
        required(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    def again(self) -> dict[str, Any]:
        browser = {"directory", "files", *photo_browser.NAMES}
        options = {name: value for name, value in super().again().items() if name not in browser}
        return {**options, "photos": json.dumps(self._paths())}

    def work(self, context: bpy.types.Context) -> Work:
        paths = self._paths()
        request = self.face_request(photos=paths, face="largest")
        answer = yield request
        obj, received = yield from new_face.build(context, answer, self.color, self.clear_place)
        photo_source.store(obj, paths, 0, request)
        self.add_face(context, obj, received.notices)
        self.report({"INFO"}, f"{obj.name}: merged from {len(paths)} photos")

    def _paths(self) -> list[str]:
        paths = [os.path.join(self.directory, entry.name) for entry in self.files if entry.name]
        if self.photos:
            try:
                given = json.loads(self.photos)
            except ValueError:
                given = None
            if not isinstance(given, list) or not all(isinstance(path, str) for path in given):
                raise TransferError("bad_request", "'photos' must be a JSON list of paths.", "Use json.dumps([...]).")
            paths += given
        paths = [os.path.abspath(bpy.path.abspath(path)) for path in paths]
        if len(paths) < 2:
            raise TransferError("few_photos", "Two or more photos are needed.", "Select several files.")
        for path in paths:
            missing_file.check(path, TransferError)
        return paths
