# SPDX-License-Identifier: GPL-3.0-or-later
"""The colors of a photo in sRGB, from the color space of its ICC profile: by what the profile does, not by its name."""

import hashlib
import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

# A larger profile is left out: those of cameras and monitors have some kB, those of printers less than this.
LARGEST_PROFILE = 1 << 20
# A profile that moves no color by more than this (of 255) is sRGB, and the pixels stay as they are.
SAME = 3


def to_srgb(image: Image.Image, profile: bytes | None, notices: list[str]) -> Image.Image:
    """The image in sRGB, from the color space of its ICC profile; without a usable one as it is, with a notice."""
    if not profile:
        return image
    if len(profile) > LARGEST_PROFILE:
        notices.append(f"The photo's color profile has {len(profile) >> 20} MB and was left out.")
        return image
    if image.mode in ("P", "1"):
        image = image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if image.mode in ("RGB", "RGBA") and _is_srgb(hashlib.sha256(profile).digest(), _Bytes(profile)):
            return image
        if image.mode == "RGBA" and source.profile.xcolor_space.strip() == "GRAY":
            alpha = image.getchannel("A")
            image = _converted(image.convert("L"), source)
            image.putalpha(alpha)
            return image
        return _converted(image, source)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        notices.append("The photo's color profile could not be used; its colors may be a little off.")
        return image


class _Bytes:
    """A profile beside its digest, by which alone it is remembered."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bytes)


@lru_cache(maxsize=16)
def _is_srgb(digest: bytes, profile: _Bytes) -> bool:
    """Whether a profile of RGB images takes the colors of a grid to themselves."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile.data))
    if source.profile.xcolor_space.strip() != "RGB":
        return False
    steps = np.rint(np.linspace(0, 255, 18)).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(18, -1, 3)
    moved = np.asarray(_converted(Image.fromarray(grid), source)).astype(int)
    return int(np.abs(moved - grid).max()) <= SAME


def _converted(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image,
        source,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGBA" if image.mode == "RGBA" else "RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert converted is not None  # only with inPlace
    return converted
