# SPDX-License-Identifier: GPL-3.0-or-later
"""Between a face's object space and the pixels of its photo, whose camera is orthographic.

The photo's plane has meters: x to the photo's right, y up, from the object's origin.
"""

import numpy as np

from .received_face import PhotoCamera, PhotoCrop


def photo_to_crop(crop: PhotoCrop, x: float, y: float) -> tuple[float, float]:
    """Photo pixels to crop pixels, pixel centers at integers on both sides."""
    size, side = crop["size"], crop["side"]
    return (
        ((x + 0.5 - crop["center_x"]) / side + 0.5) * size - 0.5,
        ((y + 0.5 - crop["center_y"]) / side + 0.5) * size - 0.5,
    )


def from_photo(camera: PhotoCamera, pixels: np.ndarray) -> np.ndarray:
    """Places (N, 2) on the photo's plane of pixels (N, 2), integers at pixel centers, y down."""
    x, y = photo_to_crop(camera["crop"], *np.asarray(pixels, float).reshape(-1, 2).T)
    center, scale = camera["center"], camera["scale"]
    return np.stack([(x - center[0]) / scale, -(y - center[1]) / scale], axis=1)


def to_photo(camera: PhotoCamera, places: np.ndarray) -> np.ndarray:
    """The inverse of `from_photo`."""
    crop, center, scale = camera["crop"], camera["center"], camera["scale"]
    at = np.asarray(places, float).reshape(-1, 2) * [scale, -scale] + center
    middle = np.array([crop["center_x"], crop["center_y"]])
    return ((at + 0.5) / crop["size"] - 0.5) * crop["side"] + middle - 0.5


def axes(camera: PhotoCamera) -> np.ndarray:
    """(3, 3): rows are the photo's right, up and toward the viewer, on the object's axes."""
    return np.array(camera["rotation"], float)
