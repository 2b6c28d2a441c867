# SPDX-License-Identifier: GPL-3.0-or-later
"""The file formats that photos come in.

Standard library only: the engine (hffne/photo/formats.py) and the extension (hffne_blender/system/photo_formats.py)
have the same file.
"""

from pathlib import PurePath

# Pillow's name of the format (HEIF is read by pi-heif): its name for the user, and its file name extensions.
FORMATS = {
    "JPEG": ("JPEG", (".jpg", ".jpeg")),
    "HEIF": ("HEIC", (".heic", ".heif")),
    "PNG": ("PNG", (".png",)),
    "TIFF": ("TIFF", (".tif", ".tiff")),
    "WEBP": ("WebP", (".webp",)),
    "BMP": ("BMP", (".bmp",)),
    "AVIF": ("AVIF", (".avif",)),
    "JPEG2000": ("JPEG 2000", (".jp2",)),
}
# Read when such a file is chosen, but not listed as photos of a folder. TGA is last: it has no signature, so that
# Pillow recognizes every other format first.
UNLISTED_FORMATS = ("MPO", "GIF", "PPM", "TGA")

EXTENSIONS = tuple(extension for _, extensions in FORMATS.values() for extension in extensions)
_NAMES = [name for name, _ in FORMATS.values()]
# "JPEG, HEIC, ... or JPEG 2000", for messages.
FORMAT_NAMES = f"{', '.join(_NAMES[:-1])} or {_NAMES[-1]}"


def is_photo_name(path: str | PurePath) -> bool:
    """Whether a file of this name is listed as a photo: by its extension, hidden files (".name") excepted."""
    path = PurePath(path)
    return path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")
