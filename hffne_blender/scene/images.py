# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures as packed images. They are PNGs made here, so that no color management touches them.

A float image that Blender packs itself becomes a large half-float EXR; a 16-bit PNG
is smaller, finer (0.002 degrees), and the very same file can be written beside the .blend.
"""

import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import bpy
import numpy as np

# Bytes that one thread packs at a time; how far back a deflate stream can see; how hard it tries.
_BLOCK, _WINDOW, _LEVEL = 1 << 20, 1 << 15, 4
_THREADS = min(4, os.cpu_count() or 1)


def encode_normal(normal):
    """Unit vectors (H, W, 3) to (H, W, 3) uint16: n * 0.5 + 0.5, green up (OpenGL)."""
    return np.rint((np.clip(normal, -1, 1) * 0.5 + 0.5) * 65535).astype(np.uint16)


def png_bytes(pixels):
    """A PNG file of (H, W, 3) or (H, W) uint8 or uint16, row 0 at the top, as bytes. No bpy here: for any thread."""
    if pixels.shape[2:] not in ((), (3,)) or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"An RGB or gray image of 8 or 16 bits is needed, not {pixels.dtype} {pixels.shape}.")
    height, width = pixels.shape[:2]
    depth = pixels.dtype.itemsize
    rows = np.ascontiguousarray(pixels, ">u2" if depth == 2 else "u1").view(np.uint8).reshape(height, -1)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth * 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", _deflate(rows)) + chunk(b"IEND", b"")


def _deflate(rows):
    """PNG's image data as one zlib stream, whose blocks of rows are packed at the same time by several threads.

    Each block ends at a whole byte and starts with the last of the one before as its dictionary, so that the stream
    is an ordinary one; the blocks' size is fixed, so the bytes are the same however many threads there are.
    """
    step = max(1, _BLOCK // rows.shape[1])
    starts = range(0, len(rows), step)

    def filtered(start, end):
        # PNG's filter 2, each row less the one above it: smooth textures pack far better.
        block = np.empty((end - start, rows.shape[1] + 1), np.uint8)
        block[:, 0] = 2
        block[:, 1:] = rows[start:end]
        if start:
            block[0, 1:] -= rows[start - 1]
        block[1:, 1:] -= rows[start : end - 1]
        return block.tobytes()

    def pack(start):
        end = min(start + step, len(rows))
        data = filtered(start, end)
        known = filtered(max(0, start - max(1, _WINDOW // rows.shape[1])), start)[-_WINDOW:] if start else b""
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15, zdict=known)
        return packer.compress(data) + packer.flush(zlib.Z_FINISH if end == len(rows) else zlib.Z_SYNC_FLUSH), data

    parts, check = [b"\x78\x5e"], 1
    with ThreadPoolExecutor(_THREADS) as pool:
        for packed, data in pool.map(pack, starts):
            parts.append(packed)
            check = zlib.adler32(data, check)
    return b"".join([*parts, struct.pack(">I", check)])


def pack(name, data, colorspace):
    """A new Image holding a PNG file's bytes. Blender decodes them when it first needs the pixels.

    colorspace  "Non-Color" for data, "sRGB" for color
    """
    # A single pixel: the file's own come when they are needed, and take no memory before.
    image = bpy.data.images.new(name, 1, 1, is_data=colorspace == "Non-Color")
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
