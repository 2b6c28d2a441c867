# SPDX-License-Identifier: GPL-3.0-or-later
"""Which photos a face was built from, so that it can be built again in another form.

"hffne_photo_path"  on the object, a text: the photo's absolute path; of several photos one a line
"hffne_photo_face"  on the object, a whole number: the face on the photo, from 1; 0 is the largest
"hffne_request"     on the object, a JSON text: what else the engine was asked for, such as the textures' size
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import bpy

from .stored import json_of

PATH, FACE, REQUEST = "hffne_photo_path", "hffne_photo_face", "hffne_request"
# What of a request is kept: the rest is said by the photos and by the object itself.
KEPT = ("size", "texture_size", "base", "lod", "grid", "maps", "keep")


def store(obj: bpy.types.Object, paths: Sequence[str], face: int = 0, request: Mapping[str, Any] | None = None) -> None:
    """Store the photos of a face object and the request to the engine; face counts from 1, 0 is the largest."""
    obj[PATH] = "\n".join(paths)
    obj[FACE] = face
    if request is not None:
        obj[REQUEST] = json.dumps({name: request[name] for name in KEPT if name in request})


def request_of(obj: bpy.types.Object) -> dict[str, Any] | None:
    """The request to the engine that gives this face again, or None where it or a photo is not known any more."""
    kept, paths, face = json_of(obj, REQUEST), paths_of(obj), face_of(obj)
    if not isinstance(kept, dict) or not paths:
        return None
    which: dict[str, Any] = {"photo": paths[0]} if len(paths) == 1 else {"photos": paths}
    known = {name: kept[name] for name in KEPT if name in kept}
    return {"type": "generate", **known, **which, "face": face - 1 if face else "largest", "color": True}


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
