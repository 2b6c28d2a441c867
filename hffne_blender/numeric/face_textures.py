# SPDX-License-Identifier: GPL-3.0-or-later
"""The arrays of a received face as PNG files, each with its depth, its color space and its unit.

Eight bits where a step cannot be seen (colors, roughness), sixteen for everything else. This is the longest part of
building a face and needs no Blender data: run it on a thread of its own.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from . import tangent
from .png import encode_normal, png_bytes
from .received_face import ReceivedFace

# 1/m: a crease of 2 mm radius.
CURVATURE_RANGE = 500.0
# Heights are coded in steps of this many meters, so that the faces of one batch tend to share a scale.
HEIGHT_STEP = 0.0005
_TOGETHER = 4096  # the largest side of textures that two threads make at once


@dataclass(frozen=True)
class Texture:
    """A texture as a file.

    kind        such as "normal" or "albedo"
    png         the bytes of a PNG file
    colorspace  "Non-Color" or "sRGB"
    extent      of a quantity coded about the middle gray, the value at the ends of the scale (meters or 1/m); else None
    """

    kind: str
    png: bytes
    colorspace: str
    extent: float | None = None


def encode_textures(received: ReceivedFace, frames: tangent.CornerFrames, use_color: bool) -> list[Texture]:
    """The textures of a face for its mesh ("normal", "color", "albedo", "height", ...).

    frames  the tangent frames of the mesh
    """
    jobs: list[Callable[[], Texture]] = []

    def add(kind: str, pixels: np.ndarray, colorspace: str) -> None:
        jobs.append(lambda: Texture(kind, png_bytes(pixels), colorspace))

    def add_signed(kind: str, values: np.ndarray, extent: float) -> None:
        jobs.append(lambda: Texture(kind, png_bytes(encode_signed(values, extent)), "Non-Color", extent))

    def add_normal(kind: str, normal: np.ndarray) -> None:
        jobs.append(
            lambda: Texture(kind, png_bytes(encode_normal(tangent.to_tangent_space(frames, normal))), "Non-Color")
        )

    maps = received.maps
    add_normal("normal", received.normal)
    if use_color and received.color is not None:
        add("color", received.color, "sRGB")
    if use_color and "albedo" in maps:
        add("albedo", maps["albedo"], "sRGB")
    for kind in ("normal_medium", "normal_coarse", "normal_pores"):
        if kind in maps:
            add_normal(kind, maps[kind])
    if "height" in maps:
        extent = float(max(np.ceil(np.abs(maps["height"]).max() / HEIGHT_STEP), 1) * HEIGHT_STEP)
        add_signed("height", maps["height"], extent)
    if "curvature" in maps:
        add_signed("curvature", maps["curvature"], CURVATURE_RANGE)
    for kind in ("occlusion", "roughness", "seen"):
        if kind in maps:
            add(kind, maps[kind], "Non-Color")
    # The normal is converted while others are compressed; large ones one after the other, for the memory.
    with ThreadPoolExecutor(2 if len(received.normal) <= _TOGETHER else 1) as threads:
        return [made.result() for made in [threads.submit(job) for job in jobs]]


def encode_photo(received: ReceivedFace) -> list[Texture]:
    """The four textures of the photo's crop, for relighting it; [] when they were not requested."""
    textures = []
    for kind, colorspace in (("normal", "Non-Color"), ("mask", "Non-Color"), ("color", "sRGB"), ("albedo", "sRGB")):
        pixels = received.maps.get(f"photo_{kind}")
        if pixels is None:
            return []
        if kind == "normal":
            pixels = encode_normal(pixels)
        textures.append(Texture(kind, png_bytes(pixels), colorspace))
    return textures


def encode_signed(values: np.ndarray, extent: float) -> np.ndarray:
    """(T, T) float to uint16: 0 at the middle gray, plus and minus `extent` at the ends of the scale."""
    return np.rint(np.clip(values / (2 * extent) + 0.5, 0, 1) * 65535).astype(np.uint16)
