# SPDX-License-Identifier: GPL-3.0-or-later
"""Which photos a face was built from, so that it can be built again in another form.

"hffne_photo_path"  on the object, a text: the photo's absolute path; of several photos one a line
"hffne_photo_face"  on the object, a whole number: the face on the photo, from 1; 0 is the largest
"""

import os
from collections.abc import Sequence

import bpy

PATH, FACE = "hffne_photo_path", "hffne_photo_face"


def store(obj: bpy.types.Object, paths: Sequence[str], face: int = 0) -> None:
    """Store the photos of a face object; face counts from 1, 0 is the largest."""
    obj[PATH] = "\n".join(paths)
    obj[FACE] = face


def paths_of(obj: bpy.types.Object) -> list[str]:
    """The photos of a face object that are still there: all of them, or [] when one is missing or none is known.

    A photo that was moved together with the .blend is found beside it.
    """
    found = []
    for path in str(obj.get(PATH) or "").splitlines():
        beside = bpy.path.abspath("//" + os.path.basename(path)) if bpy.data.filepath else ""
        place = next((place for place in (path, beside) if place and os.path.isfile(place)), None)
        if place is None:
            return []
        found.append(place)
    return found


def face_of(obj: bpy.types.Object) -> int:
    """The number of the face on its photo, from 1; 0 for the largest, or where it is not known."""
    number = obj.get(FACE, 0)
    return number if isinstance(number, int) and number >= 0 else 0
