# SPDX-License-Identifier: GPL-3.0-or-later
"""An object's maps as files for other programs, in the depth, color space and green direction that they expect.

A face has the maps of its material; any mesh may have others that were made for it (see scene.generated_maps).
"""

import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ..numeric import srgb
from ..numeric.vectors import mean_scale
from ..system import verify_file
from ..system.file_set import FileSet
from . import color_spaces, detail_nodes, generated_maps, images, textures
from .access import first_material
from .stored import number_of


@dataclass(frozen=True)
class _Format:
    ending: str
    data_depth: str  # bits, as Blender names them
    color_depth: str
    linear: bool  # whether the values are linear light and plain quantities


# By Blender's names.
FORMATS = {
    "PNG": _Format("png", "16", "8", False),
    "TIFF": _Format("tif", "16", "8", False),
    "OPEN_EXR": _Format("exr", "32", "32", True),
}
COLORS = {"color", "albedo"}


def maps_of(obj: bpy.types.Object | None) -> dict[str, bpy.types.Image]:
    """{kind: Image} of what can be exported of an object; {} for None and for what is not a mesh."""
    if obj is None or obj.type != "MESH":
        return {}
    found = textures.of_material(first_material(obj)) if detail_nodes.has_sliders(obj) else {}
    for kind, image in generated_maps.of_object(obj).items():
        if image not in found.values():
            found[kind] = image
    return found


def export(
    obj: bpy.types.Object,
    stem: str,
    folder: str,
    file_format: str = "PNG",
    directx: bool = False,
    kinds: Collection[str] | None = None,
) -> dict[str, str]:
    """Write the maps of an object as `<stem>_<kind>.<ending>`; returns {kind: path}.

    A face's normal map is written as the sliders make it. Data is linear and never color managed; colors are sRGB
    in PNG and TIFF, scene-linear in OpenEXR. Heights and displacements in OpenEXR are meters and curvatures 1/m;
    elsewhere they are coded about the middle gray (see scene.textures and scene.generated_maps). Beside each map of
    heights or displacements `<stem>_<kind>.json` has their scale. Raises OSError, and writes all files or none.

    file_format  a key of FORMATS
    directx      green of the tangent-space normal maps points down
    kinds        only these of "normal", "color", "albedo", "height", ...; None for all
    """
    wanted = FORMATS[file_format]
    written: dict[str, str] = {}
    with FileSet() as files:
        for kind, image in maps_of(obj).items():
            if kinds is not None and kind not in kinds:
                continue
            written[kind] = path = os.path.join(folder, f"{stem}_{kind}.{wanted.ending}")
            pixels = _pixels(obj, kind, image, directx, wanted.linear)
            depth = wanted.color_depth if kind in COLORS else wanted.data_depth
            _write(pixels, str(files.add(path)), file_format, depth)
            scale = _meters(obj, kind, image)
            if scale is not None:
                facts = files.add(os.path.join(folder, f"{stem}_{kind}.json"))
                _write_scale(str(facts), os.path.basename(path), 1.0 if wanted.linear else scale, wanted.linear)
        files.commit()
    return written


def _meters(obj: bpy.types.Object, kind: str, image: bpy.types.Image) -> float | None:
    """Meters from black to white of a map of heights or displacements; None for any other map."""
    extent, scale = number_of(image, textures.RANGE), number_of(image, generated_maps.SCALE)
    if kind == "height" and extent is not None:
        # A face is life-size in its own space.
        return 2 * float(extent)
    if kind == "displacement" and scale is not None:
        return float(scale) * mean_scale(np.array(obj.matrix_world))
    return None


def _write_scale(path: str, name: str, scale: float, linear: bool) -> None:
    """What a displacement of another program needs to know of the map in the file `name`."""
    facts = {"file": name, "unit": "m", "scale": scale, "middle": 0.0 if linear else 0.5}
    facts["meaning"] = "(value - middle) * scale is the distance along the normal in meters"
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(facts, stream, indent=1)


def _pixels(obj: bpy.types.Object, kind: str, image: bpy.types.Image, directx: bool, linear: bool) -> np.ndarray:
    """(H, W, 3) or (H, W) float32, row 0 at the top: exactly the values to write into the file."""
    if kind == "normal" and detail_nodes.has_sliders(obj):
        pixels = detail_nodes.mixed(first_material(obj)) * 0.5 + 0.5
    else:
        # Of a color image Blender gives the sRGB values.
        pixels = images.values(image)[..., :3]
    if kind == "bake_object":
        return pixels
    if kind.startswith(("normal", "bake")):
        pixels = pixels.copy()
        if directx:
            pixels[..., 1] = 1 - pixels[..., 1]
        return pixels
    if kind in COLORS:
        return srgb.to_linear(pixels) if linear else pixels
    gray = pixels[..., 0]
    extent, scale = number_of(image, textures.RANGE), number_of(image, generated_maps.SCALE)
    if linear and extent is not None:
        return (gray * 2 - 1) * np.float32(extent)
    if linear and scale is not None:
        return (gray - 0.5) * np.float32(scale * mean_scale(np.array(obj.matrix_world)))
    return gray


def _write(pixels: np.ndarray, path: str, file_format: str, depth: str) -> None:
    height, width = pixels.shape[:2]
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = pixels if pixels.ndim == 3 else pixels[..., None]
    image = images.float_image("HFFNE export", rgba)
    scene = bpy.data.scenes.new("HFFNE export")
    try:
        # The scene sets how to write; "Raw" keeps the view transform out of it.
        if not color_spaces.use_raw_view(scene) and file_format != "OPEN_EXR":
            raise OSError("the OpenColorIO configuration has no view that leaves values as they are: choose OpenEXR")
        settings: Any = scene.render.image_settings
        settings.file_format = file_format
        settings.color_mode = "RGB" if pixels.ndim == 3 or file_format == "OPEN_EXR" else "BW"
        settings.color_depth = depth
        if file_format == "OPEN_EXR":
            settings.exr_codec = "ZIP"
        try:
            image.save_render(path, scene=scene)
        except RuntimeError as error:
            raise OSError(str(error)) from None
    finally:
        bpy.data.images.remove(image)
        bpy.data.scenes.remove(scene)
    verify_file.verify_complete(path)
