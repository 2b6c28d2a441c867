# SPDX-License-Identifier: GPL-3.0-or-later
"""What the header of a photo says before anything is decoded: files that are refused, and files that a child decodes.

Pillow's decoders of JPEG, PNG and the like take time and memory in proportion to the pixels. The others (TIFF with its
directories, HEIC, AVIF, JPEG 2000) do not, so they run in a process with limits, see `limited`.
"""

import io
import re
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, TiffImagePlugin

from hffne.errors import CameraRawError, NotAPhotoError, PhotoTooComplexError

# How files of the bounded decoders begin: JPEG, PNG, GIF, BMP, PPM and WebP (RIFF).
_BOUNDED = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8|BM|P[1-6]\s|RIFF....WEBP", re.S)
# Pixels up to which those are decoded in this process.
FEW_PIXELS = 50_000_000
# Scans of a progressive JPEG, each of which goes over the whole picture; programs write about ten.
MOST_SCANS = 200
# Bytes read at once.
_PIECE = 1 << 20
_NOTES = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# TIFF tags.
_SUBFILE, _BITS, _PHOTOMETRIC, _PLANAR, _SUB_DIRECTORIES = 254, 258, 262, 284, 330
_SAMPLE_FORMAT = 339
_DNG_VERSION = 50706
# Color filter array, linear raw.
_RAW_PHOTOMETRIC = (32803, 34892)
_REDUCED = 1  # of _SUBFILE: a small version of another picture in the file


def check_scans(path: Path) -> None:
    """Raise PhotoTooComplexError for a JPEG with absurdly many scans."""
    scans, last = 0, b""
    with open(path, "rb") as file:
        if file.read(3) != b"\xff\xd8\xff":
            return
        while piece := file.read(_PIECE):
            # In the compressed data itself FF is always followed by 00 or a restart marker.
            scans += (last + piece).count(b"\xff\xda")
            last = piece[-1:]
            if scans > MOST_SCANS:
                raise PhotoTooComplexError(
                    f"'{path}' is a JPEG of more than {MOST_SCANS} scans, which takes very long to read."
                )


def needs_limits(path: Path) -> bool:
    """Whether a file is in a format that is decoded in a process with limits."""
    with open(path, "rb") as file:
        return _BOUNDED.match(file.read(16)) is None


def tiff_tags(path: Path) -> dict[int, Any] | None:
    """The tags of a TIFF's first directory by their numbers, None for another file."""
    with open(path, "rb") as file:
        if not file.read(4).startswith(_TIFF):
            return None
        file.seek(0)
        return _first_directory(file)


def check_tiff(path: Path, tags: dict[int, Any]) -> None:
    """Raise CameraRawError or NotAPhotoError for a TIFF whose first picture would be read wrongly."""
    with open(path, "rb") as file:
        canon = file.read(12)[8:10] == b"CR"
    raw = _DNG_VERSION in tags or tags.get(_PHOTOMETRIC) in _RAW_PHOTOMETRIC or canon
    if raw or (int(tags.get(_SUBFILE) or 0) & _REDUCED and _SUB_DIRECTORIES in tags):
        raise CameraRawError(f"'{path}' is a camera raw file; only its small preview could be read.")
    bits = tags.get(_BITS, 8)
    most = max(bits if isinstance(bits, tuple) else (bits,))
    if most > 16 and tags.get(_SAMPLE_FORMAT, 1) in (1, 2, (1,), (2,)):
        raise NotAPhotoError(
            f"'{path}' is a TIFF of whole numbers of {most} bits.", hint="Save it again with 8 or 16 bits a channel."
        )
    deep = most > 8
    if deep and tags.get(_PLANAR) == 2:
        raise NotAPhotoError(
            f"'{path}' is a TIFF of more than 8 bits with one channel after the other (per channel).",
            hint="Save it again with interleaved channels, or as PNG or JPEG.",
        )


def png_without_notes(path: Path) -> BinaryIO:
    """A PNG without its texts and its color profile, which Pillow does not open where one of them is over 1 MB."""
    result = io.BytesIO()
    with open(path, "rb") as file:
        result.write(file.read(8))
        while len(head := file.read(8)) == 8:
            length, name = int.from_bytes(head[:4], "big"), head[4:]
            if name in _NOTES:
                file.seek(length + 4, 1)
            else:
                result.write(head)
                result.write(file.read(length + 4))
    result.seek(0)
    return result


def has_more_pictures(image: Image.Image) -> bool:
    """Whether a file holds several pictures, without reading them all."""
    if image.format in ("MPO", "JPEG"):
        return False
    if image.format != "TIFF":
        return getattr(image, "n_frames", 1) > 1
    try:
        # `n_frames` would go through all directories, of which a small file may have tens of thousands.
        image.seek(1)
    except EOFError:
        return False
    finally:
        image.seek(0)
    return True


def _first_directory(file: BinaryIO) -> dict[int, Any]:
    head = file.read(8)
    if head[2:3] == b"+" or head[3:4] == b"+":
        head += file.read(8)
    directory = TiffImagePlugin.ImageFileDirectory_v2(head)
    file.seek(directory.next)
    directory.load(file)
    return dict(directory)
