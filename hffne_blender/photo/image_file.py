# SPDX-License-Identifier: GPL-3.0-or-later
"""An image that is open in Blender as a file that the engine can read."""

import os
import re
import shutil
import tempfile
from typing import Any

import bpy
import numpy as np

from ..engine.client import EngineError
from ..numeric import srgb
from ..numeric.png import png_bytes
from ..scene import images
from ..system import missing_file, room
from ..system.photo_formats import EXTENSIONS

# Characters that some system does not allow in a file's name.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_NAME_LENGTH = 80
# Further formats that the engine reads.
_UNLISTED = (".mpo", ".gif", ".ppm", ".pgm", ".tga", ".jpe", ".jfif", ".j2k", ".jpx", ".hif")


class PhotoFile:
    """A photo's absolute path, valid until `close()`, which removes the file if it is a temporary copy."""

    def __init__(self, path: str, folder: str | None = None):
        self.path = path
        self._folder = folder

    @property
    def temporary(self) -> bool:
        """Whether `close` removes the file."""
        return self._folder is not None

    def close(self) -> None:
        """Remove a temporary copy. Safe to call twice; a file in use elsewhere is removed with Blender's tempdir."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def find(photo: str = "", image: str = "") -> PhotoFile:
    """The PhotoFile of an open image by its name, else of a path. Raises EngineError when there is none."""
    if image:
        found = bpy.data.images.get(image)
        if found is None:
            raise EngineError("no_image", f"There is no image {image} in this file.", "Choose another one.")
        return of_image(found)
    if not photo:
        raise EngineError("no_photo", "No photo is chosen.", "Choose one in the panel.")
    path = path_of(photo)
    missing_file.check(path, EngineError)
    return PhotoFile(path)


def may_be_photo(image: bpy.types.Image) -> bool:
    """Whether an open image is offered as a photo: no texture of a face, and neither a render nor a film."""
    # The dozens of textures of faces would hide the photo.
    return image.source not in ("VIEWER", "MOVIE") and not any(key.startswith("hffne_") for key in image.keys())


def path_of(text: str) -> str:
    """The absolute path that a text names: with quotes around it as a file manager copies it, "~" or Blender's "//"."""
    text = text.strip()
    if len(text) > 2 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return os.path.abspath(os.path.expanduser(bpy.path.abspath(text)))


def of_image(image: bpy.types.Image) -> PhotoFile:
    """The PhotoFile of an image: its own file where that has the pixels that Blender shows, else a temporary copy.

    A packed file is copied byte for byte. Painted, generated and float images, and files that only Blender can read
    (EXR, HDR, PSD), are written as Blender shows them: 8 bits, or 16 where the image has floats, in sRGB. Raises
    EngineError for an image without pixels.
    """
    if image.source == "FILE" and not image.is_dirty and image.packed_file is None and _engine_reads(image):
        path = os.path.abspath(bpy.path.abspath(image.filepath, library=image.library))
        if os.path.isfile(path):
            return PhotoFile(path)
    packed = image.packed_file if image.source in ("FILE", "GENERATED") and not image.is_dirty else None
    # Float images have file formats that are not those of photos.
    if packed is not None and not image.is_float and _engine_reads(image):
        data: Any = packed.data  # bytes; the stubs want a str
        return _temporary(image, os.path.splitext(image.filepath)[1] or ".png", data)
    if image.source not in ("FILE", "GENERATED", "VIEWER") or 0 in image.size:
        raise EngineError("bad_image", f"The image {image.name} has no pixels that can be read.", "Choose another one.")
    rgb = images.values(image)[..., :3]
    if image.is_float:
        pixels = np.rint(srgb.from_linear(np.clip(rgb, 0, 1)) * 65535).astype(np.uint16)
    else:
        pixels = np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    return _temporary(image, ".png", png_bytes(pixels))


def _engine_reads(image: bpy.types.Image) -> bool:
    """Whether the engine knows the format of an image's file, by its name's ending."""
    ending = os.path.splitext(image.filepath)[1].lower()
    return not ending or ending in EXTENSIONS or ending in _UNLISTED


def _temporary(image: bpy.types.Image, ending: str, data: bytes) -> PhotoFile:
    # Blender's tempdir is private to the user and removed when Blender ends, whatever happens to this extension.
    place = bpy.app.tempdir or tempfile.gettempdir()
    name = _FORBIDDEN.sub("_", os.path.splitext(image.name)[0])[:_NAME_LENGTH].strip(" .") or "photo"
    with room.needed(place, EngineError):
        folder = tempfile.mkdtemp(prefix="hffne_", dir=place)
        path = os.path.join(folder, name + ending)
        try:
            with open(path, "wb") as stream:
                stream.write(data)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return PhotoFile(path, folder)
