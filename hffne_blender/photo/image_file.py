# SPDX-License-Identifier: GPL-3.0-or-later
"""An image that is open in Blender as a file that the engine can read."""

import os
import re
import shutil
import tempfile

import bpy
import numpy as np

from ..engine.client import EngineError
from ..scene import images

# What some system does not take in a file's name.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_NAME_LENGTH = 80


class PhotoFile:
    """A photo's absolute path, for as long as it is needed: `close()` removes the file if it was made for us."""

    def __init__(self, path, folder=None):
        self.path = path
        self._folder = folder

    def close(self):
        """Safe to call twice. What another program still holds open goes with Blender's own temporary folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def find(photo="", image=""):
    """The PhotoFile of an open image by its name, else of a path; raises EngineError when there is none."""
    if image:
        found = bpy.data.images.get(image)
        if found is None:
            raise EngineError("no_image", f"There is no image {image} in this file.", "Choose another one.")
        return of_image(found)
    if not photo:
        raise EngineError("no_photo", "No photo is chosen.", "Choose one in the panel.")
    path = os.path.abspath(bpy.path.abspath(photo))
    if not os.path.isfile(path):
        raise EngineError("photo_not_found", f"There is no file {path}.", "Check the path.")
    return PhotoFile(path)


def of_image(image):
    """The PhotoFile of an image: its own file where that shows what Blender shows, else a copy in a private folder.

    A packed file is copied byte for byte. Painted, generated and float images are written as Blender shows them:
    8 bits, or 16 where the image has floats, in sRGB. Raises EngineError for what has no pixels.
    """
    if image.source == "FILE" and not image.is_dirty and image.packed_file is None:
        path = os.path.abspath(bpy.path.abspath(image.filepath, library=image.library))
        if os.path.isfile(path):
            return PhotoFile(path)
    packed = image.packed_file if image.source in ("FILE", "GENERATED") and not image.is_dirty else None
    # Floats have formats of their own, which are no photos.
    if packed is not None and not image.is_float:
        return _private(image, os.path.splitext(image.filepath)[1] or ".png", packed.data)
    if image.source not in ("FILE", "GENERATED", "VIEWER") or 0 in image.size:
        raise EngineError("bad_image", f"The image {image.name} has no pixels that can be read.", "Choose another one.")
    rgb = images.values(image)[..., :3]
    if image.is_float:
        rgb = np.clip(rgb, 0, 1)
        rgb = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
        pixels = np.rint(rgb * 65535).astype(np.uint16)
    else:
        pixels = np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    return _private(image, ".png", images.png_bytes(pixels))


def _private(image, ending, data):
    # Blender's own temporary folder is the user's alone and goes when Blender ends, whatever happens to us.
    folder = tempfile.mkdtemp(prefix="hffne_", dir=bpy.app.tempdir or None)
    name = _FORBIDDEN.sub("_", os.path.splitext(image.name)[0])[:_NAME_LENGTH].strip(" .") or "photo"
    path = os.path.join(folder, name + ending)
    try:
        with open(path, "wb") as stream:
            stream.write(data)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        hint = "Make room on the disk, or choose another temporary folder in Blender's preferences."
        raise EngineError("file_error", f"The image cannot be written to {folder} ({error.strerror}).", hint) from None
    return PhotoFile(path, folder)
