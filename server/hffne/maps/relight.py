# SPDX-License-Identifier: GPL-3.0-or-later
"""What is needed to relight the photo: normals, mask and colors on the photo's own crop."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from hffne.geometry.completion import to_bytes
from hffne.geometry.unlit import without_light
from hffne.geometry.vectors import normalize
from hffne.maps.uv_surface import resize_texture
from hffne.photo.crop import extract_crop

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate

MAX_SIZE = 1024


def relight_layers(photo_rgb: np.ndarray, estimate: "FaceEstimate") -> dict[str, np.ndarray]:
    """Arrays by name, on the estimate's crop, row 0 at the top.

    photo_normal (S, S, 3) float32 unit, camera space; photo_mask (S, S) uint8, soft, 255 on the face;
    photo_color (C, C, 3) uint8 sRGB, the crop as photographed; photo_albedo (C, C, 3) the same without the light,
    as far as estimate.gain tells it.
    """
    crop = estimate.crop
    size = int(np.clip(round(crop.side), 64, MAX_SIZE))
    color = np.clip(extract_crop(photo_rgb, crop.resized(size)), 0, 1)
    albedo = color if estimate.gain is None else without_light(color, estimate.gain, margin=0)
    side = min(len(estimate.normal), MAX_SIZE)
    normal = normalize(resize_texture(estimate.normal.astype(np.float32), side))
    soft = cv2.GaussianBlur(resize_texture(estimate.mask.astype(np.float32), side), (0, 0), side / 128)
    mask = np.clip(2 * soft - 1, 0, 1)
    return {
        "photo_normal": normal,
        "photo_mask": (mask * 255 + 0.5).astype(np.uint8),
        "photo_color": to_bytes(color),
        "photo_albedo": to_bytes(albedo),
    }
