# SPDX-License-Identifier: GPL-3.0-or-later
"""A photo from what Python code holds: a path, a Pillow image or an array."""

from __future__ import annotations

import os
from typing import TypeAlias

import numpy as np
from PIL import Image

from hffne.errors import NotAPhotoError, PhotoTooLargeError, PhotoTooSmallError
from hffne.photo.load import MAX_PIXELS, MIN_SIDE, Photo, load_photo, photo_of_image

ImageInput: TypeAlias = "str | os.PathLike[str] | Image.Image | np.ndarray | Photo"


def as_photo(image: ImageInput) -> Photo:
    """The Photo of a file, a Pillow image or an array.

    image: a path; a Pillow image of any mode (orientation and color profile are applied); or an array, sRGB, row 0 at
    the top: (H, W), (H, W, 1) gray, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, or float from 0 to 1. Alpha is
    composited on white. Raises NotAPhotoError for anything else, and what `load_photo` raises for a file.
    """
    if isinstance(image, Photo):
        return image
    if isinstance(image, Image.Image):
        return photo_of_image(image)
    if isinstance(image, str | os.PathLike):
        return load_photo(image)
    if isinstance(image, np.ndarray):
        return Photo(_rgb_of_array(image))
    raise NotAPhotoError(
        f"An image cannot be made of {type(image).__name__}.",
        hint="Give a path, a Pillow image or a numpy array (H, W, 3).",
    )


def _rgb_of_array(array: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 or uint16 RGB of an array as `as_photo` takes it."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise NotAPhotoError(
            f"An array of shape {array.shape} is not an image.",
            hint="Its shape is (height, width), or (height, width, channels) with 1, 3 or 4 channels.",
        )
    if min(array.shape[:2]) < MIN_SIDE:
        raise PhotoTooSmallError(f"The image has only {array.shape[1]} x {array.shape[0]} pixels.")
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise PhotoTooLargeError(f"The image has {array.shape[1]} x {array.shape[0]} pixels, more than {MAX_PIXELS}.")
    if array.dtype.kind == "f":
        array = _sixteen_bit(array)
    if array.dtype not in (np.uint8, np.uint16):
        raise NotAPhotoError(
            f"An image of {array.dtype} values cannot be used.",
            hint="Give uint8, uint16, or float values from 0 to 1.",
        )
    if array.shape[2] == 4:
        array = _on_white(array)
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))


def _sixteen_bit(array: np.ndarray) -> np.ndarray:
    """Float values 0 to 1 as uint16."""
    # Written so that NaN fails the test as well.
    if not (array.min() >= 0 and array.max() <= 1):
        raise NotAPhotoError(
            f"Float values of an image lie from 0 to 1; these reach from {array.min():.4g} to {array.max():.4g}.",
            hint="Divide 8-bit values by 255, 16-bit ones by 65535, and replace values that are not finite.",
        )
    return (array * 65535 + 0.5).astype(np.uint16)


def _on_white(array: np.ndarray) -> np.ndarray:
    """RGBA on white, in the array's own type."""
    full = np.iinfo(array.dtype).max
    alpha = array[..., 3:].astype(np.float32) / full
    return (array[..., :3] * alpha + full * (1 - alpha) + 0.5).astype(array.dtype)
