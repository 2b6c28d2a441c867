# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.generate`: build a face object from a photo."""

import os
from collections.abc import Generator
from typing import Any

import bpy

from .. import settings
from ..character.errors import TransferError
from ..engine import protocol, session
from ..engine.client import Answer
from ..photo import image_file
from ..scene import photo_source
from .bases import new_face, windows
from .bases.background import InBackground, Work
from .bases.properties import FACE_OPTIONS, OPTIONS, FaceOptions, PhotoOptions
from .bases.types import OperatorResult


class HFFNE_OT_generate(PhotoOptions, FaceOptions, InBackground, bpy.types.Operator):
    """Build a face with a detailed normal map from the photo"""

    bl_idname = "hffne.generate"
    bl_label = "Generate Face"
    bl_options = {"REGISTER", "UNDO"}

    face: settings.face_property(options=OPTIONS)
    texture_pixels: bpy.props.IntProperty(
        name="Texture Pixels",
        description="Side of the textures in pixels, for sizes that Texture Size does not offer; 0 uses Texture Size",
        default=0,
        min=0,
        max=protocol.TEXTURE_SIZES[1],
        options={"HIDDEN", "SKIP_SAVE"},
    )
    crop_size: bpy.props.IntProperty(
        name="Crop Size",
        description="Side in pixels of the photo's crop for the fine network, a multiple of 32 from 256; "
        "0 uses the engine's default",
        default=0,
        min=0,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    makes_face = True
    # One request; the bar is full when the engine has answered.
    share = 1.0

    # The engine's last answer where it answers this very request, else None.
    _known: Answer | None = None
    # The photo's file, or "" where it is not one that stays.
    _path = ""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        self.use_panel_photo(context)
        self.use_panel_settings(context, ("face", *FACE_OPTIONS))
        return self.begin(context) if windows.has_window(context) else self.execute(context)

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        self.use_panel_photo(context)
        self.choose_base()
        path = image_file.path_of(self.photo) if self.photo else ""
        # Switching the color off or on needs no new answer.
        self._known = None if self.image else session.remembered(self._request(path))
        self._path = path if not self.image else ""
        return super().execute(context) if self._known is None else self.run_now(context)

    def work(self, context: bpy.types.Context) -> Work:
        answer = self._known
        if answer is None:
            answer = yield from self._ask()
        obj, received = yield from new_face.build(context, answer, self.color, self.clear_place)
        if self._path:
            photo_source.store(obj, [self._path], self.face, self._request(self._path))
        self.add_face(context, obj, received.notices)
        self.report({"INFO"}, f"{obj.name}: {len(received.vertices)} vertices, {len(received.normal)} px textures")

    def _ask(self) -> Generator[dict[str, Any], Any, Answer]:
        file = image_file.find(self.photo, self.image)
        try:
            # The temporary copy of an open image is gone when the face is there.
            self._path = "" if file.temporary else file.path
            request = self._request(file.path)
            answer = yield request
            session.remember(request, answer)
            return answer
        except TransferError as error:
            if not self.image:
                raise
            # The user knows an open image by its name, not by the folder of its temporary copy.
            message = error.message.replace(os.path.dirname(file.path) + os.sep, "")
            raise TransferError.from_dict({**error.as_dict(), "message": message}) from None
        finally:
            file.close()

    def _request(self, path: str) -> dict[str, Any]:
        # Engines of earlier versions do not know "size".
        size = {"size": self.crop_size} if self.crop_size else {}
        pixels = {"texture_size": self.texture_pixels} if self.texture_pixels else {}
        photo = os.path.abspath(path) if path else ""
        return self.face_request(photo=photo, face=self.face - 1 if self.face else "largest", **size, **pixels)
