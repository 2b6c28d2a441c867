# SPDX-License-Identifier: GPL-3.0-or-later
"""A face's textures as Blender images.

An image's custom property "hffne_map" says which texture it is. That of a map coded about the middle gray
has "hffne_range": the value at the ends of the scale (height in meters, curvature in 1/m).
"""

import bpy

from ..numeric.face_textures import Texture
from . import images
from .access import tree_of

KIND, RANGE = "hffne_map", "hffne_range"


def add_image(name: str, texture: Texture, kind: str) -> bpy.types.Image:
    """A new Image of a Texture; `kind` becomes its property "hffne_map"."""
    image = images.pack(name, texture.png, texture.colorspace)
    image[KIND] = kind
    if texture.extent is not None:
        image[RANGE] = texture.extent
    return image


def of_material(material: bpy.types.Material) -> dict[str, bpy.types.Image]:
    """The textures of a face's material, by kind."""
    found: dict[str, bpy.types.Image] = {}
    for node in tree_of(material).nodes:
        if isinstance(node, bpy.types.ShaderNodeTexImage) and node.image is not None:
            kind = node.image.get(KIND)
            # It becomes a part of a file's name.
            if isinstance(kind, str) and kind.isidentifier():
                found.setdefault(kind, node.image)
    return found
