# SPDX-License-Identifier: GPL-3.0-or-later
"""A face's textures: the asset's arrays as images, each with its depth, its color space and its unit.

Eight bits where a step cannot be seen (colors, roughness), sixteen everywhere else. An image knows what it
is by its property "hffne_map", and a map of a quantity by "hffne_range": the value that lies half the
scale away from the middle gray (height in meters, curvature in 1/m).
"""

from dataclasses import dataclass

import numpy as np

from ..numeric import tangent
from . import images

KIND, RANGE = "hffne_map", "hffne_range"
# 1/m: a crease of 2 mm radius.
CURVATURE_RANGE = 500.0
# Heights are coded in steps of this many meters, so that faces of one batch tend to share a scale.
HEIGHT_STEP = 0.0005


@dataclass(frozen=True)
class Texture:
    """A texture ready to become an Image: a PNG file's bytes, "Non-Color" or "sRGB", and the value of RANGE or None."""

    kind: str
    png: bytes
    colorspace: str
    extent: float = None


def encode_textures(asset, frames, use_color):
    """The textures of a FaceAsset for its mesh ("normal", "color", "albedo", "height", ...): a list of Texture.

    frames  what `tangent.corner_frames` has read of the mesh

    Numpy only, and the longest work of all: for a thread of its own.
    """
    made = []

    def add(kind, pixels, colorspace, extent=None):
        made.append(Texture(kind, images.png_bytes(pixels), colorspace, extent))

    def add_normal(kind, normal):
        add(kind, images.encode_normal(tangent.convert(frames, normal)), "Non-Color")

    maps = asset.maps
    add_normal("normal", asset.normal)
    if use_color and asset.color is not None:
        add("color", asset.color, "sRGB")
    if use_color and "albedo" in maps:
        add("albedo", maps["albedo"], "sRGB")
    for kind in ("normal_medium", "normal_coarse"):
        if kind in maps:
            add_normal(kind, maps[kind])
    if "height" in maps:
        extent = float(max(np.ceil(np.abs(maps["height"]).max() / HEIGHT_STEP), 1) * HEIGHT_STEP)
        add("height", signed(maps["height"], extent), "Non-Color", extent)
    if "curvature" in maps:
        add("curvature", signed(maps["curvature"], CURVATURE_RANGE), "Non-Color", CURVATURE_RANGE)
    for kind in ("occlusion", "roughness"):
        if kind in maps:
            add(kind, maps[kind], "Non-Color")
    return made


def encode_photo(asset):
    """The photo's crop, for lighting it anew: a list of Texture; [] when it was not asked for."""
    made = []
    for kind, colorspace in (("normal", "Non-Color"), ("mask", "Non-Color"), ("color", "sRGB"), ("albedo", "sRGB")):
        pixels = asset.maps.get(f"photo_{kind}")
        if pixels is None:
            return []
        if kind == "normal":
            pixels = images.encode_normal(pixels)
        made.append(Texture(kind, images.png_bytes(pixels), colorspace))
    return made


def add_image(name, texture, kind):
    """A new Image of a Texture, `kind` its property "hffne_map"."""
    image = images.pack(name, texture.png, texture.colorspace)
    image[KIND] = kind
    if texture.extent is not None:
        image[RANGE] = texture.extent
    return image


def signed(values, extent):
    """(T, T) float to uint16, 0 at the middle gray, plus and minus `extent` at the ends."""
    return np.rint(np.clip(values / (2 * extent) + 0.5, 0, 1) * 65535).astype(np.uint16)


def of_material(material):
    """The textures of a face's material, by kind."""
    found = {}
    for node in material.node_tree.nodes:
        if node.type == "TEX_IMAGE" and node.image is not None and KIND in node.image:
            found.setdefault(node.image[KIND], node.image)
    return found
