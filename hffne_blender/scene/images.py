# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures as packed images. They are PNGs made here, so that no colour management touches them.

A float image that Blender packs itself becomes a large half-float EXR; a 16-bit PNG
is smaller, finer (0.002 degrees), and the very same file can be written beside the .blend.
"""

import struct
import zlib

import bpy
import numpy as np


def encode_normal(normal):
    """Unit vectors (H, W, 3) to (H, W, 3) uint16: n * 0.5 + 0.5, green up (OpenGL)."""
    return np.rint((np.clip(normal, -1, 1) * 0.5 + 0.5) * 65535).astype(np.uint16)


def png_bytes(pixels):
    """A PNG file of (H, W, 3) or (H, W) uint8 or uint16, row 0 at the top, as bytes."""
    if pixels.shape[2:] not in ((), (3,)) or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"An RGB or grey image of 8 or 16 bits is needed, not {pixels.dtype} {pixels.shape}.")
    height, width = pixels.shape[:2]
    depth = pixels.dtype.itemsize
    rows = np.ascontiguousarray(pixels, ">u2" if depth == 2 else "u1").view(np.uint8).reshape(height, -1)
    # PNG's filter 2, each row less the one above it: smooth textures pack far better.
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = rows[0]
    filtered[1:, 1:] = rows[1:] - rows[:-1]

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth * 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(filtered.tobytes(), 4))
        + chunk(b"IEND", b"")
    )


def packed_image(name, pixels, colorspace):
    """A new Image holding (H, W, 3) or (H, W) uint8 or uint16 as a packed PNG.

    colorspace  "Non-Color" for data, "sRGB" for colour
    """
    data = png_bytes(pixels)
    image = bpy.data.images.new(name, pixels.shape[1], pixels.shape[0], is_data=colorspace == "Non-Color")
    image.pack(data=data, data_len=len(data))
    image.source = "FILE"
    image.filepath_raw = f"//{bpy.path.clean_name(name)}.png"
    image.colorspace_settings.name = colorspace
    return image


def values(image):
    """An image's pixels as Blender holds them, (H, W, 4) float32, row 0 at the top."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, 4)[::-1]


def write_packed(image, path):
    """Write an image's packed file as it is, byte for byte."""
    with open(path, "wb") as stream:
        stream.write(image.packed_file.data)
