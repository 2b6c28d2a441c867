# SPDX-License-Identifier: GPL-3.0-or-later
"""The photo's view: the orthographic camera from which the engine saw the face.

A face object has the custom property "hffne_camera", a JSON text:

    rotation    3 x 3, rows: object axes -> camera axes (x right, y up, z toward the viewer)
    scale       crop pixels per meter
    center      [x, y], where the object's origin lies in the crop, in crop pixels;
                integers are pixel centers, y down
    crop        {center_x, center_y, side, size}: the square of the photo, in its pixels,
                that was resampled to size x size crop pixels
    photo_size  [width, height]
    photo       the number of the photo among several, from 0

A face of several photos also has "hffne_cameras", a JSON list of all its cameras, "hffne_camera" among them, and
"hffne_photo_shown", the number of the photo through whose camera it was looked at last.
"""

import json
from collections.abc import Sequence
from typing import Literal

import bpy
from mathutils import Matrix, Vector

from ..numeric.checked_arrays import ReceivedFaceError
from ..numeric.photo_plane import photo_to_crop
from ..numeric.received_face import PhotoCamera, checked_camera
from .stored import json_of

PROPERTY, ALL, SHOWN = "hffne_camera", "hffne_cameras", "hffne_photo_shown"
# Meters between the face's origin and the camera.
DISTANCE = 1.0


def store(obj: bpy.types.Object, camera: PhotoCamera, cameras: Sequence[PhotoCamera] = ()) -> None:
    """Store the camera on the object, as text, which every version of the file format keeps.

    cameras: those of all photos, where there are several
    """
    obj[PROPERTY] = json.dumps(camera)
    if cameras:
        obj[ALL] = json.dumps(cameras)


def load(obj: bpy.types.Object) -> PhotoCamera | None:
    """The camera of a face object, or None for an object that is not a face of this extension."""
    stored = json_of(obj, PROPERTY)
    if stored is None:
        return None
    try:
        return checked_camera(stored)
    except ReceivedFaceError:
        return None


def of_face(obj: bpy.types.Object) -> PhotoCamera:
    """The camera of a face object. Raises ValueError for an object that is not a face of this extension."""
    camera = load(obj)
    if camera is None:
        raise ValueError(f"The object '{obj.name}' has no camera of a photo.")
    return camera


def by_photo(obj: bpy.types.Object) -> dict[int, PhotoCamera]:
    """The cameras of a face by the number of the photo, from 0. Raises ValueError as `of_face` does.

    A face of several photos that an earlier version made has only one.
    """
    first = of_face(obj)
    listed = json_of(obj, ALL)
    found = {first["photo"]: first}
    for entry in listed if isinstance(listed, list) else ():
        try:
            camera = checked_camera(entry)
        except ReceivedFaceError:
            continue
        found.setdefault(camera["photo"], camera)
    return dict(sorted(found.items()))


def shown(obj: bpy.types.Object) -> PhotoCamera:
    """The camera of the photo over which a face is looked at. Raises ValueError as `of_face` does."""
    number = obj.get(SHOWN)
    known = by_photo(obj)
    return known[number] if isinstance(number, int) and number in known else of_face(obj)


def show(obj: bpy.types.Object, number: int) -> None:
    """Look at a face over its photo of a number, from 0. Raises ValueError where it has no such photo."""
    if number not in by_photo(obj):
        raise ValueError(f"The face '{obj.name}' has no photo {number + 1} with a camera.")
    obj[SHOWN] = number


def photo_camera(
    obj: bpy.types.Object, frame: Literal["CROP", "PHOTO"] = "CROP", seen_by: PhotoCamera | None = None
) -> bpy.types.Object:
    """A new, unlinked camera object that sees `obj` as a photo did.

    frame    "CROP": the square crop that the engine saw; render it square.
             "PHOTO": the whole photo; render it in the photo's proportions.
    seen_by  the photo's camera, by default `of_face`

    Raises ValueError when the object has no camera.
    """
    camera = of_face(obj) if seen_by is None else seen_by
    crop, scale = camera["crop"], camera["scale"]
    size = crop["size"]
    if frame == "CROP":
        center, extent = ((size - 1) / 2, (size - 1) / 2), size
    else:
        width, height = camera["photo_size"]
        center = photo_to_crop(crop, (width - 1) / 2, (height - 1) / 2)
        extent = max(width, height) * size / crop["side"]
    offset = Vector(
        (
            (center[0] - camera["center"][0]) / scale,
            -(center[1] - camera["center"][1]) / scale,
            DISTANCE,
        )
    )
    data = bpy.data.cameras.new("Photo View")
    data.type = "ORTHO"
    data.ortho_scale = extent / scale
    data.clip_start, data.clip_end = 0.01, 10.0
    view = bpy.data.objects.new("Photo View", data)
    to_object = Matrix(camera["rotation"]).transposed()
    pose = Matrix.Translation(to_object @ offset) @ to_object.to_4x4()
    # The object may have been moved and scaled since; its view moves with it.
    world = obj.matrix_world
    view.matrix_world = world @ pose
    view.scale = (1, 1, 1)
    data.ortho_scale *= world.to_scale().x
    return view
