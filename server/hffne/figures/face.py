# SPDX-License-Identifier: GPL-3.0-or-later
"""Common parts of the figures of photos: the crop as a picture, and the base mesh turned aside."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from hffne.geometry.base_shape import FLIP_Y
from hffne.geometry.project import MAX_SIZE, project
from hffne.geometry.vectors import normalize
from hffne.photo.crop import extract_crop

if TYPE_CHECKING:
    from hffne.estimate import FaceEstimate
    from hffne.geometry.textures import Textures
    from hffne.photo.load import Photo


def crop_picture(photo: "Photo", estimate: "FaceEstimate") -> np.ndarray:
    """The crop of an estimate in color, (S, S, 3) uint8."""
    return np.round(np.clip(extract_crop(photo.rgb, estimate.crop), 0, 1) * 255).astype(np.uint8)


def turned_view(
    estimate: "FaceEstimate", textures: "Textures", yaw: float, size: int = 384
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The base mesh, turned by `yaw` degrees about the camera's vertical axis, in the middle of a picture.

    textures: of the estimate. Returns base and detailed (S, S, 3) float32, unit normals in the camera space of that
    view: the mesh's own, and those of its normal map; and mask (S, S) bool.
    """
    shape = estimate.shape
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ shape.rotation
    position = (shape.points @ rotation.T * shape.scale * FLIP_Y).astype(np.float32)
    seen = position[np.isfinite(position).all(2)]
    position[..., :2] += 127.5 - (seen[:, :2].min(0) + seen[:, :2].max(0)) / 2
    view = project(position, min(size, MAX_SIZE))
    side = len(textures.normal)
    at = np.stack([view.uv[..., 0] * side - 0.5, (1 - view.uv[..., 1]) * side - 0.5], -1).astype(np.float32)
    mapped = cv2.remap(textures.normal, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    detailed = normalize(mapped @ rotation.T.astype(np.float32))
    return view.normal, np.where(view.mask[..., None], detailed, 0).astype(np.float32), view.mask
