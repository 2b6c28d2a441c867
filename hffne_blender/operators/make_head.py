# SPDX-License-Identifier: GPL-3.0-or-later
"""`bpy.ops.hffne.make_head`: build the head of a mask's photo in the mask's place.

bpy.ops.hffne.make_head(photo="portrait.jpg")
"""

import os
from typing import Any

import bpy

from .. import settings
from ..character.errors import TransferError
from ..scene import detail_nodes, face_attributes, head, photo_source, skin_nodes
from ..scene.access import first_material
from ..scene.nodes import input_value, set_input
from ..studio.place import face_at
from ..system import missing_file
from ..system.required import required
from .bases import new_face, photo_browser, placement, polls, windows
from .bases.background import InBackground, Work
from .bases.properties import OPTIONS, FaceOptions
from .bases.types import OperatorResult


class HFFNE_OT_make_head(photo_browser.PhotoBrowser, FaceOptions, InBackground, bpy.types.Operator):
    """Build a whole head from the photo of the selected mask, in its place or, where another object is in the way, \
beside it; the mask is hidden"""

    bl_idname = "hffne.make_head"
    bl_label = "Make Head"
    bl_options = {"REGISTER", "UNDO"}

    mask: bpy.props.StringProperty(
        name="Mask", description="The mask object; empty uses the active one", options={"SKIP_SAVE"}
    )
    # Blender's file browser writes this one.
    filepath: bpy.props.StringProperty(
        name="Photo",
        description="Photo of the mask; empty uses the one that the mask was built from",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    face: settings.face_property(options=OPTIONS)

    # One request, and then the building of the head.
    share = 0.95

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not (polls.engine_idle(cls, context) and polls.object_mode(cls, context)):
            return False
        obj = face_at(context.object) or context.object
        if obj is None or not face_attributes.is_face(obj) or head.is_head(obj):
            cls.poll_message_set("Select a mask made from a photo")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        self.use_panel_settings(context)
        mask = required(face_at(context.object) or context.object)
        self.mask = mask.name
        if self.filepath or photo_source.paths_of(mask) or not windows.has_window(context):
            return self.begin(context)
        # A mask of an earlier version, or whose photo has gone.
        self._browsed = True
        required(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    def work(self, context: bpy.types.Context) -> Work:
        mask = _mask(self.mask or required(face_at(context.object) or context.object).name)
        self.mask = mask.name
        paths, number = self._photos(mask)
        which: dict[str, Any] = {"photo": paths[0]} if len(paths) == 1 else {"photos": paths}
        face = number - 1 if number else "largest"
        request = self.face_request(**which, face=face, base="head")
        answer = yield request
        if "neutral" not in answer[1]:
            raise TransferError(
                "no_head", "The engine could not build a head from this photo.", "Choose another photo of the person."
            )
        obj, received = yield from new_face.build(context, answer, self.color)
        photo_source.store(obj, paths, number, request)
        mask = _mask(self.mask)
        _take_place(mask, obj)
        moved = placement.make_room(context, obj, mask)
        self.add_face(context, obj, received.notices, moved=False)
        if mask.name in required(context.view_layer).objects:
            mask.hide_set(True)
        mask.hide_render = True
        aside = ", and stands beside its place, where it would reach into another object" if moved else ""
        self.report({"INFO"}, f"{obj.name}: the head of {mask.name}, which is hidden{aside}")

    def _photos(self, mask: bpy.types.Object) -> tuple[list[str], int]:
        """(paths, number of the face on the photo). Raises TransferError where there is none."""
        if not self.filepath:
            paths = photo_source.paths_of(mask)
            if not paths:
                raise TransferError(
                    "no_photo", f"The photo of '{mask.name}' is not known or not there.", "Choose the photo."
                )
            return paths, self.face or photo_source.face_of(mask)
        path = os.path.abspath(bpy.path.abspath(self.filepath))
        missing_file.check(path, TransferError)
        return [path], self.face


def _mask(name: str) -> bpy.types.Object:
    """The mask object of a name. Raises TransferError where the user has removed it meanwhile."""
    obj = bpy.data.objects.get(name)
    if obj is None or not face_attributes.is_face(obj):
        raise TransferError("no_face_object", f"There is no mask '{name}'.", "Select a mask made from a photo.")
    return obj


def _take_place(mask: bpy.types.Object, obj: bpy.types.Object) -> None:
    """Give a new head the place, the parent, the collections and the sliders of a mask."""
    for collection in obj.users_collection:
        collection.objects.unlink(obj)
    for collection in mask.users_collection:
        collection.objects.link(obj)
    obj.parent, obj.parent_type, obj.parent_bone = mask.parent, mask.parent_type, mask.parent_bone
    obj.matrix_parent_inverse = mask.matrix_parent_inverse
    obj.rotation_mode = mask.rotation_mode
    obj.matrix_basis = mask.matrix_basis
    if not detail_nodes.has_sliders(mask):
        return
    for find_node, sliders in (
        (detail_nodes.find_node, detail_nodes.SLIDERS),
        (skin_nodes.find_node, skin_nodes.SLIDERS),
    ):
        old, new = find_node(first_material(mask)), find_node(first_material(obj))
        for name, *_ in sliders if old is not None and new is not None else ():
            if name not in required(old).inputs:
                continue
            set_input(required(new), name, input_value(required(old), name))
