# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's images: packed from the bytes of PNG files, and read as arrays."""

import os
from typing import Any

import bpy
import numpy as np

from . import color_spaces


def pack(name: str, data: bytes, colorspace: str) -> bpy.types.Image:
    """A new Image holding a PNG file's bytes. Blender decodes them when it first needs the pixels.

    colorspace  "Non-Color" for data, "sRGB" for color
    """
    # One pixel: those of the file are decoded when they are needed, and take no memory before.
    image = bpy.data.images.new(name, 1, 1, is_data=colorspace == "Non-Color")
    packed: Any = data  # the stubs want a str
    image.pack(data=packed, data_len=len(data))
    image.source = "FILE"
    image.filepath_raw = f"//{bpy.path.clean_name(name)}.png"
    color_spaces.set_space(image, is_data=colorspace == "Non-Color")
    return image


def values(image: bpy.types.Image) -> np.ndarray:
    """An image's pixels as Blender stores them, (H, W, 4) float32, row 0 at the top. Raises ValueError without any."""
    width, height = image.size
    if not width * height:
        raise ValueError(f"The image '{image.name}' has no pixels: its file is missing or damaged")
    pixels = np.empty(width * height * 4, np.float32)
    buffer: Any = image.pixels
    buffer.foreach_get(pixels)
    return pixels.reshape(height, width, 4)[::-1]


def normals(image: bpy.types.Image) -> np.ndarray:
    """The vectors of a face's normal map, (T, T, 3) float32 in -1..1, row 0 at the top; not normalized.

    Raises ValueError for an image without pixels, or of another form.
    """
    pixels = values(image)
    if pixels.shape[0] != pixels.shape[1] or len(pixels) < 2:
        raise ValueError(f"The normal map '{image.name}' is not a square of two pixels or more")
    return pixels[..., :3] * 2 - 1


def float_image(name: str, pixels: np.ndarray) -> bpy.types.Image:
    """A new Non-Color float Image of pixels (H, W, 4), row 0 at the top."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height, float_buffer=True, is_data=True)
    color_spaces.set_space(image, is_data=True)
    buffer: Any = image.pixels
    buffer.foreach_set(np.ascontiguousarray(pixels[::-1], np.float32).ravel())
    return image


def write_packed(image: bpy.types.Image, path: str | os.PathLike[str]) -> None:
    """Write the bytes of an image's packed file to a path. Raises ValueError for an image without one, or OSError."""
    if image.packed_file is None:
        raise ValueError(f"The image '{image.name}' is not packed.")
    packed: Any = image.packed_file.data  # bytes; the stubs want a str
    with open(path, "wb") as stream:
        stream.write(packed)
