# SPDX-License-Identifier: GPL-3.0-or-later
"""An object's maps as files for other programs: depth, color space and green's direction as those expect.

A face has those of its material; any mesh may have more that were made for it (see scene.generated_maps).
"""

import os

import bpy
import numpy as np

from ..system import verify_file
from . import detail_nodes, generated_maps, images, textures

# Of Blender's names: the ending, the depth of data, the depth of colors, whether the values are linear light.
FORMATS = {"PNG": ("png", "16", "8", False), "TIFF": ("tif", "16", "8", False), "OPEN_EXR": ("exr", "32", "32", True)}
COLORS = {"color", "albedo"}


def maps_of(obj):
    """{kind: Image} of what can be exported of an object, or of None."""
    if obj is None or obj.type != "MESH":
        return {}
    found = textures.of_material(obj.data.materials[0]) if detail_nodes.is_face(obj) else {}
    for kind, image in generated_maps.of(obj).items():
        if image not in found.values():
            found[kind] = image
    return found


def export(obj, stem, folder, file_format="PNG", directx=False, kinds=None):
    """Write the maps of an object as `<stem>_<kind>.<ending>`; returns {kind: path}.

    A face's normal map is written as the sliders make it. Data is linear and never color managed; colors are sRGB
    in PNG and TIFF, scene-linear in OpenEXR. Heights and displacements in OpenEXR are meters and curvatures 1/m,
    elsewhere they are coded about the middle gray (see scene.textures and scene.generated_maps). Raises OSError, and writes
    all files or none.

    directx  green of the tangent-space normal maps points down
    kinds    only these of "normal", "color", "albedo", "height", ...; None for all
    """
    ending, data_depth, color_depth, linear = FORMATS[file_format]
    written = {}
    try:
        for kind, image in maps_of(obj).items():
            if kinds is not None and kind not in kinds:
                continue
            path = os.path.join(folder, f"{stem}_{kind}.{ending}")
            pixels = _pixels(obj, kind, image, directx, linear)
            depth = color_depth if kind in COLORS else data_depth
            written[kind] = path + ".partial"
            _write(pixels, written[kind], file_format, depth)
    except Exception:
        for path in written.values():
            if os.path.exists(path):
                os.remove(path)
        raise
    for kind, path in written.items():
        written[kind] = path[: -len(".partial")]
        os.replace(path, written[kind])
    return written


def _pixels(obj, kind, image, directx, linear):
    """(H, W, 3) or (H, W) float32, row 0 at the top, the very values that the file shall hold."""
    if kind == "normal" and detail_nodes.is_face(obj):
        pixels = detail_nodes.mixed(obj.data.materials[0]) * 0.5 + 0.5
    else:
        # Of a color image Blender gives the sRGB codes.
        pixels = images.values(image)[..., :3]
    if kind == "bake_object":
        return pixels
    if kind.startswith(("normal", "bake")):
        pixels = pixels.copy()
        if directx:
            pixels[..., 1] = 1 - pixels[..., 1]
        return pixels
    if kind in COLORS:
        return to_linear(pixels) if linear else pixels
    gray = pixels[..., 0]
    if linear and textures.RANGE in image:
        return (gray * 2 - 1) * np.float32(image[textures.RANGE])
    if linear and generated_maps.SCALE in image:
        return (gray - 0.5) * np.float32(image[generated_maps.SCALE] * _meters(obj))
    return gray


def _meters(obj):
    """Meters in a unit of an object's own space."""
    return float(abs(obj.matrix_world.to_3x3().determinant()) ** (1 / 3))


def to_linear(coded):
    """sRGB codes 0..1 to linear light."""
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _write(pixels, path, file_format, depth):
    height, width = pixels.shape[:2]
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = pixels if pixels.ndim == 3 else pixels[..., None]
    image = bpy.data.images.new("HFFNE export", width, height, float_buffer=True, is_data=True)
    scene = bpy.data.scenes.new("HFFNE export")
    try:
        image.colorspace_settings.name = "Non-Color"
        image.pixels.foreach_set(np.ascontiguousarray(rgba[::-1]).ravel())
        # The scene says how to write; "Raw" keeps the view transform out of it.
        scene.view_settings.view_transform = "Raw"
        settings = scene.render.image_settings
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
    verify_file.check(path)
