# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces of photos, and their true normals, as samples."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from hffne.errors import NoFaceError
from hffne.photo.crop import Crop, crop_for_box
from hffne.photo.detect import find_faces
from hffne.photo.load import Photo
from hffne.training.sources import Sample


def truth_on(crop: Crop, size: int, normal: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit normals (H, W, 3) and their mask (H, W) of a photo, resampled to size x size on a crop.

    Both are zero where nothing is known.
    """
    x, y = np.moveaxis(crop.resized(size).to_photo(np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1)), 2, 0)
    # Each crop pixel is the mean over its area where it is coarser than the photo.
    sigma = 0.4 * crop.side / size
    known: np.ndarray = mask.astype(np.float32)
    normal = (normal * mask[..., None]).astype(np.float32)
    if sigma > 0.6:
        normal, known = cv2.GaussianBlur(normal, (0, 0), sigma), cv2.GaussianBlur(known, (0, 0), sigma)
    normal, known = (cv2.remap(p, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) for p in (normal, known))
    inside = known > 0.9
    length = np.linalg.norm(normal, axis=2, keepdims=True)
    return normal @ crop.unturning / np.maximum(length, 1e-6) * inside[..., None], inside


def face_crop(pictures: Sequence[np.ndarray], path: Path) -> Crop:
    """The crop around the face on the first of some pictures (H, W, 3) that shows one.

    path: where they are from. Raises NoFaceError.
    """
    for picture in pictures:
        faces = find_faces(Photo(picture, path))
        if faces:
            return crop_for_box(faces[0].box, 256)
    raise NoFaceError(f"No face was found on '{path}'.")


def mirrored_sample(
    rng: np.random.Generator,
    gray: np.ndarray,
    normal: np.ndarray,
    weight: np.ndarray,
    color: np.ndarray | None = None,
) -> Sample:
    """A sample of arrays (S, S[, 3]), mirrored or not."""
    parts = {"gray": gray[..., None], "normal": normal, "weight": weight[..., None]}
    if color is not None:
        parts["color"] = color
    if rng.random() < 0.5:
        parts = {name: part[:, ::-1] for name, part in parts.items()}
        parts["normal"] = parts["normal"] * np.array([-1, 1, 1], np.float32)
    parts = {name: part.transpose(2, 0, 1) for name, part in parts.items()}
    parts["weight"] = parts["weight"][0]
    return {name: torch.from_numpy(np.ascontiguousarray(part, np.float32)) for name, part in parts.items()}
