# SPDX-License-Identifier: GPL-3.0-or-later
"""The maps that were made for an object, whatever its material: its custom properties "hffne_made_<kind>".

The object points to its images and not they to it, so that a deleted object is really removed.
"""

import bpy

from . import images

PREFIX = "hffne_made_"
# On the image itself: a map that was made is not offered as a photo.
MADE = "hffne_made"
# Of a displacement map: its whole range, from black to white, in the object's own units.
SCALE = "hffne_scale"


def store(obj: bpy.types.Object, kind: str, name: str, data: bytes, colorspace: str = "Non-Color") -> bpy.types.Image:
    """Store a PNG file's bytes as an object's map of a kind: a new packed image, which is returned.

    The object's earlier map of the kind is replaced wherever it is used, unless a copy of the object has it too: then
    it stays with the copy.
    """
    key = PREFIX + kind
    old = obj.get(key)
    image = images.pack(name, data, colorspace)
    if isinstance(old, bpy.types.Image) and not any(
        other != obj and other.get(key) == old for other in bpy.data.objects
    ):
        old.user_remap(image)
        bpy.data.images.remove(old)
        image.name = name
    image[MADE] = True
    obj[key] = image
    return image


def of_object(obj: bpy.types.Object) -> dict[str, bpy.types.Image]:
    """An object's maps by kind: "normal", "displacement", "color", "albedo", "roughness", "bake_tangent", ..."""
    found = {key[len(PREFIX) :]: obj[key] for key in obj.keys() if key.startswith(PREFIX)}
    # The kind becomes a part of a file's name.
    return {kind: image for kind, image in found.items() if isinstance(image, bpy.types.Image) and kind.isidentifier()}
