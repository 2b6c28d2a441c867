# SPDX-License-Identifier: GPL-3.0-or-later
"""The faces that the engine has found on the chosen photo, with a small picture of each for the panel."""

import bpy
import bpy.utils.previews
import numpy as np

THUMBNAIL = 96  # pixels

# The photo that they are of, see `key`, and what else there is to say of it.
photo = None
message = ""
_icons = None
_numbers = []
# Blender does not keep the texts of a list made by a function.
_items = []


class HFFNE_FoundFace(bpy.types.PropertyGroup):
    box: bpy.props.FloatVectorProperty(name="Box", description="x, y, width, height in the photo's pixels", size=4)
    score: bpy.props.FloatProperty(name="Score", description="How sure the detector is, from 0 to 1")


def key(chosen):
    """What is chosen: the photo's path, or the open image; "" for nothing."""
    if chosen.source == "IMAGE":
        return image_key(chosen.image.name) if chosen.image is not None else ""
    return chosen.photo


def image_key(name):
    return f"image {name}"


def clear(context, of=None, words=""):
    """Forget the faces; `words` is why there are none on the photo `of`."""
    global photo, message
    photo, message = of, words
    context.window_manager.hffne_faces.clear()
    _items.clear()
    _numbers.clear()
    if _icons is not None:
        _icons.clear()


def show(context, of, answer):
    """Take the engine's answer (message, arrays) to `faces` for the photo `of`; the number of faces."""
    reply, arrays = answer
    faces = reply["faces"]
    clear(context, of, "" if faces else "No face was found on this photo.")
    for number, face in enumerate(faces, 1):
        item = context.window_manager.hffne_faces.add()
        item.box, item.score = face["box"], face["score"]
        _numbers.append(_icon(number, arrays.get("thumbnails")))
        text = "The largest face" if number == 1 else f"Face {number} of {len(faces)}, the largest first"
        _items.append((str(number), str(number), text, 0, number))
    return len(faces)


def choices(self, context):
    """The items of the panel's choice."""
    return _items or _NONE


_NONE = [("1", "1", "The largest face", 0, 1)]


def icons():
    """The icon of each face, in order; 0 where the engine has sent no picture."""
    return list(_numbers)


def _icon(number, pictures):
    if pictures is None or len(pictures) < number:
        return 0
    picture = pictures[number - 1]
    entry = _icons.new(str(number))
    rgba = np.ones((*picture.shape[:2], 4), np.float32)
    rgba[..., :3] = picture[::-1] / 255
    for name in ("icon", "image"):
        setattr(entry, f"{name}_size", picture.shape[1::-1])
        getattr(entry, f"{name}_pixels_float").foreach_set(rgba.ravel())
    return entry.icon_id


def register():
    global _icons
    bpy.utils.register_class(HFFNE_FoundFace)
    bpy.types.WindowManager.hffne_faces = bpy.props.CollectionProperty(type=HFFNE_FoundFace)
    _icons = bpy.utils.previews.new()


def unregister():
    global _icons, photo, message
    bpy.utils.previews.remove(_icons)
    _icons, photo, message = None, None, ""
    _items.clear()
    _numbers.clear()
    del bpy.types.WindowManager.hffne_faces
    bpy.utils.unregister_class(HFFNE_FoundFace)
