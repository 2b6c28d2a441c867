# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a face's photo in the scene: one for each face, a child of it."""

import bpy

from ..scene import camera
from .place import marked, of_face

KIND = "photo_view"


def add(scene, collection, obj):
    """The scene's camera becomes one that sees the face `obj` and the whole photo around it. Returns it.

    A face's camera of an earlier call is put back to where it belongs. The size of renders stays: in other
    proportions than the photo's more is seen on two sides.
    """
    made = camera.photo_camera(obj, "PHOTO")
    data = made.data
    render, (width, height) = scene.render, camera.load(obj)["photo_size"]
    across = render.resolution_x * render.pixel_aspect_x
    down = render.resolution_y * render.pixel_aspect_y
    # The scale is what the longer side of the render shows.
    data.ortho_scale *= max(width * max(across, down) / across, height * max(across, down) / down) / max(width, height)
    pose = made.matrix_basis.copy()
    view = next((child for child in of_face(scene, obj, KIND) if child.type == "CAMERA"), None)
    if view is None:
        view = marked(made, KIND)
        view.parent = obj
        collection.objects.link(view)
    else:
        for name in ("type", "ortho_scale", "clip_start", "clip_end", "shift_x", "shift_y"):
            setattr(view.data, name, getattr(data, name))
        bpy.data.batch_remove([made, data])
    view.matrix_parent_inverse = obj.matrix_world.inverted_safe()
    view.matrix_basis = pose
    scene.camera = view
    return view
