# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a photo file into upright sRGB pixels, with a specific error for each reason why it cannot be read."""

import contextlib
import os
import stat
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from hffne.errors import (
    DamagedPhotoError,
    EmptyPhotoError,
    NotAPhotoError,
    PhotoError,
    PhotoIsFolderError,
    PhotoNotFoundError,
    PhotoNotReadableError,
    PhotoTooLargeError,
    PhotoTooSmallError,
)
from hffne.photo import float_tiff, limited, suspect
from hffne.photo.color import to_srgb
from hffne.photo.formats import FORMAT_NAMES, FORMATS, UNLISTED_FORMATS, is_photo_name

# Decoding takes seven bytes a pixel, twelve with orientation and profile: this bounds the memory at 1.9 GB.
MAX_PIXELS = 150_000_000
# What has an alpha channel or deep pixels takes about twice as much.
DEEP_PIXELS = MAX_PIXELS // 2
DEEP_MODES = ("RGBA", "RGBa", "LA", "La", "PA", "CMYK", "YCbCr", "LAB", "I", "F")
# Compressed; no photo of so many pixels is larger, whatever its format.
MAX_FILE_BYTES = 2 << 30
MIN_SIDE = 24

# The path of a Photo that does not come from a file.
IN_MEMORY = PurePath("image in memory")

# Transparent pixels are composited on white, as image viewers show them.
_BACKDROP = (255, 255, 255)


@dataclass
class Photo:
    """A photo in memory.

    rgb      (H, W, 3) uint8 or uint16, sRGB, upright, opaque; row 0 is the top
    path     the file it was read from, or a name for messages
    notices  sentences for the user, e.g. that the color profile could not be used
    """

    rgb: np.ndarray
    path: PurePath = IN_MEMORY
    notices: list[str] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.rgb.shape[1], self.rgb.shape[0]


def find_photos(folder: str | Path) -> list[Path]:
    """All photos under a folder and its subfolders, linked ones too (see `formats.is_photo_name`), sorted."""
    found: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:  # a link to a folder that was, or is being, searched
            folders.clear()
            continue
        seen.add(real)
        found += [path for name in names if is_photo_name(path := Path(place, name))]
    return sorted(found)


def load_photo(path: str | os.PathLike[str]) -> Photo:
    """Read a photo: EXIF orientation applied, colors in sRGB, alpha composited.

    Gray, palette, CMYK, 16-bit and floating-point files become 8-bit RGB.
    Raises PhotoNotFoundError, PhotoTooSmallError, PhotoTooLargeError, or
    PhotoError for everything else that keeps the file from being read.
    """
    path = Path(path)
    _check_file(path)
    notices: list[str] = []
    with _explained(path):
        if not sys.executable:  # inside another program: there is no Python to start
            rgb, notices = decode_file(path)
            return Photo(rgb, path, notices)
        if not suspect.needs_limits(path):
            suspect.check_scans(path)
            with _opened(path, notices) as image:
                if image.width * image.height <= suspect.FEW_PIXELS:
                    return Photo(_decode(image, notices), path, notices)
        rgb, notices = limited.decode(path)
    return Photo(rgb, path, notices)


def decode_file(path: Path) -> tuple[np.ndarray, list[str]]:
    """(pixels (H, W, 3) uint8, notices) of a photo, decoded in this process. Raises as `load_photo` does."""
    notices: list[str] = []
    with _explained(path):
        suspect.check_scans(path)
        tags = suspect.tiff_tags(path)
        if tags is not None:
            suspect.check_tiff(path, tags)
            pixels = float_tiff.read(path, tags)
            if pixels is not None:
                pixels = _float_to_eight_bit(pixels)
                return (pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)), notices
        with _opened(path, notices) as image:
            return _decode(image, notices), notices


@contextlib.contextmanager
def _opened(path: Path, notices: list[str]) -> Iterator[Image.Image]:
    """The image of a file, of which only the header is read, after the check of its size. Raises PhotoError."""
    with _open(path, notices) as image:
        _check_size(path, image)
        yield image


def _open(path: Path, notices: list[str]) -> Image.Image:
    try:
        return Image.open(path, formats=_known_formats(path))
    except ValueError as error:
        if "Decompressed data too large" not in str(error):
            raise
    notices.append("The photo's texts and color profile, one of which has over 1 MB, were left out.")
    return Image.open(suspect.png_without_notes(path), formats=["PNG"])


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turns what decoders raise on a file into a PhotoError."""
    with warnings.catch_warnings():
        # Sizes are checked below; other warnings are of no use to an artist.
        warnings.simplefilter("ignore")
        try:
            yield
        except UnidentifiedImageError:
            raise NotAPhotoError(
                f"'{path}' is not a photo, or of a kind that cannot be read.",
                hint=f"Photos can be {FORMAT_NAMES}. {PhotoError.hint}",
            ) from None
        except Image.DecompressionBombError:
            raise _too_large(path, "far too many") from None
        except MemoryError:
            raise PhotoTooLargeError(f"There is not enough memory to read '{path}'.") from None
        except PhotoError:
            raise
        except PermissionError:
            raise PhotoNotReadableError(f"'{path}' may not be read.", hint="Check the file's permissions.") from None
        except Exception as error:
            # Decoders raise nearly anything on damaged files.
            raise DamagedPhotoError(f"'{path}' is damaged or cut off: {_one_line(error)}") from error


def photo_of_image(image: Image.Image) -> Photo:
    """The Photo of an open Pillow image, converted as `load_photo` does. Raises PhotoError."""
    notices: list[str] = []
    _check_size(IN_MEMORY, image)
    try:
        rgb = _decode(image, notices)
    except Exception as error:
        # Pillow decodes late, and its decoders raise nearly anything on damaged files.
        raise DamagedPhotoError(f"The image is damaged or cut off: {_one_line(error)}") from error
    return Photo(rgb=rgb, notices=notices)


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise PhotoNotFoundError(f"There is no file '{path}'.") from None
    except (OSError, ValueError) as error:
        raise PhotoNotReadableError(f"'{path}' cannot be opened: {_one_line(error)}", hint="Check the path.") from None
    if stat.S_ISDIR(status.st_mode):
        raise PhotoIsFolderError(f"'{path}' is a folder, not a photo.", hint="Name a photo in it.")
    if not stat.S_ISREG(status.st_mode):
        raise PhotoNotReadableError(f"'{path}' is not a file.", hint="Name a photo file.")
    if status.st_size > MAX_FILE_BYTES:
        raise PhotoTooLargeError(f"'{path}' has {status.st_size >> 20} MB; at most {MAX_FILE_BYTES >> 20} can be read.")
    if status.st_size == 0:
        raise EmptyPhotoError(f"'{path}' is empty: 0 bytes.", hint="Copy or download the photo again.")


def _known_formats(path: Path) -> list[str]:
    """The formats to try, of those that this build of Pillow has: open() refuses unknown names."""
    Image.init()
    if "HEIF" not in Image.OPEN and _is_iso_media(path):
        try:
            import pi_heif
        except ImportError:
            pass  # there are no wheels of it for this machine
        else:
            # Decoding only: nothing here writes HEIC. Registered for the few files that may need it.
            pi_heif.register_heif_opener()
    # Only formats that photos come in: Pillow can also start Ghostscript and others.
    return [name for name in (*FORMATS, *UNLISTED_FORMATS) if name in Image.OPEN]


def _is_iso_media(path: Path) -> bool:
    """Whether the file is an ISO media file, as HEIC (an iPhone's photos) and AVIF are."""
    with open(path, "rb") as file:
        return file.read(8)[4:] == b"ftyp"


def _check_size(path: PurePath, image: Image.Image) -> None:
    width, height = image.size
    deep = image.mode.startswith("I;") or image.mode in DEEP_MODES or "transparency" in image.info
    most = DEEP_PIXELS if deep else MAX_PIXELS
    if width * height > most:
        raise _too_large(path, f"{width} x {height}", most)
    if min(width, height) < MIN_SIDE:
        raise PhotoTooSmallError(
            f"'{path}' has only {width} x {height} pixels; at least {MIN_SIDE} on each side are needed."
        )


def _too_large(path: PurePath, count: str, most: int = MAX_PIXELS) -> PhotoTooLargeError:
    return PhotoTooLargeError(
        f"'{path}' has {count} pixels; at most {most // 1_000_000} million of this kind can be read."
    )


def _decode(image: Image.Image, notices: list[str]) -> np.ndarray:
    if suspect.has_more_pictures(image):
        notices.append("The file holds several pictures; the first one is used.")
    image.load()
    try:
        # Not in place: in place, Pillow also rewrites the metadata of odd files, and may fail.
        image = ImageOps.exif_transpose(image) if _orientation(image) != 1 else image
    except Exception:
        notices.append("The photo's orientation could not be read; it is used as it is stored.")
    profile = image.info.get("icc_profile")
    image = _eight_bit(image)
    if _has_alpha(image):
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema()[1] == 0:
            # A game's texture, a picture from the clipboard: the colors are there.
            notices.append("The photo is transparent everywhere; its colors are used as if it were not.")
            image = image.convert("RGB")
    image = to_srgb(image, profile, notices)
    if image.mode == "RGBA":
        backdrop = Image.new("RGBA", image.size, (*_BACKDROP, 255))
        image = Image.alpha_composite(backdrop, image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    return _pixels(image)


def _pixels(image: Image.Image) -> np.ndarray:
    """The pixels (H, W, 3) uint8 of an RGB image, copied in bands: np.asarray holds a whole image three times over."""
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, 256):
        bottom = min(top + 256, height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels


def _orientation(image: Image.Image) -> int:
    return image.getexif().get(0x0112, 1)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Convert 16-bit, 32-bit and float gray to "L"; Pillow's own convert clips them at 255."""
    if not (image.mode.startswith("I") or image.mode == "F"):
        return image
    values = np.asarray(image)
    if image.mode == "F":
        return Image.fromarray(_float_to_eight_bit(values))
    values = values.astype(np.float32)
    full = 255.0 if image.mode == "I" and values.max(initial=0.0) <= 255.0 else 65535.0
    return Image.fromarray(np.clip(values * (255.0 / full) + 0.5, 0, 255).astype(np.uint8))


def _float_to_eight_bit(values: np.ndarray) -> np.ndarray:
    """Floating-point values as uint8: 0 to 1 with highlights beyond, or the range of 8 or of 16 bits."""
    values = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=float(np.finfo(np.float32).max), neginf=0.0)
    # Not the largest value, which may be a highlight.
    bright = float(np.percentile(values, 99)) if values.size else 0.0
    full = next((full for full, most in ((1.0, 16.0), (255.0, 1024.0)) if bright <= most), 65535.0)
    return np.clip(values * (255.0 / full) + 0.5, 0, 255).astype(np.uint8)


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def _one_line(error: Exception) -> str:
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    return text or type(error).__name__
