# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a face's photo in the scene: one per face, a child of it."""

import bpy

from ..scene import camera
from . import scene_settings
from .place import collection_for, mark, name_for, of_face

KIND = "photo_view"
# What is restored on the camera of an earlier call.
_SETTINGS = ("type", "ortho_scale", "clip_start", "clip_end", "shift_x", "shift_y")


def add(scene: bpy.types.Scene, obj: bpy.types.Object) -> bpy.types.Object:
    """Make the scene's camera one that sees the face `obj` and the whole photo around it. Returns it.

    Of several photos it is the one that is shown (`scene.camera.shown`).

    The camera of an earlier call is moved back to its place. The size of renders does not change: where its
    proportions are not the photo's, more is visible on two sides. Raises ValueError for an object without a photo's
    camera.
    """
    seen_by = camera.shown(obj)
    added = camera.photo_camera(obj, "PHOTO", seen_by)
    data = added.data
    assert isinstance(data, bpy.types.Camera)
    render, (width, height) = scene.render, seen_by["photo_size"]
    across = render.resolution_x * render.pixel_aspect_x
    down = render.resolution_y * render.pixel_aspect_y
    # The scale is the width of what the longer side of the render shows.
    data.ortho_scale *= max(width * max(across, down) / across, height * max(across, down) / down) / max(width, height)
    pose = added.matrix_basis.copy()
    view = next((child for child in of_face(scene, obj, KIND) if child.type == "CAMERA"), None)
    if view is None:
        view = mark(added, KIND)
        view.name = data.name = name_for(obj, "Photo Camera")
        view.parent = obj
        collection_for(scene, obj).objects.link(view)
    else:
        for name in _SETTINGS:
            setattr(view.data, name, getattr(data, name))
        bpy.data.batch_remove([added, data])
    view.matrix_parent_inverse = obj.matrix_world.inverted_safe()
    view.matrix_basis = pose
    scene_settings.set_camera(scene, view)
    return view
