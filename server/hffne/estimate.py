# SPDX-License-Identifier: GPL-3.0-or-later
"""The result for one face of a photo: normals, mask, landmarks and base shape on the face's crop."""

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.face_parts import FaceParts, wide_crop
from hffne.geometry.grids import sample
from hffne.geometry.project import Projection
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.parts import SKIN
from hffne.photo.crop import CROP, Crop

# How far from the middle of the position map, of 1, the face is not at its rim.
_WITHIN = 0.7
_SURE = 0.75  # how likely skin must be to be called skin
_LEAST = 1e-3  # a part that is less likely is not told


@dataclass(frozen=True)
class FaceEstimate:
    """Normals, mask, landmarks and base shape of one face.

    crop         the Crop that all pictures below are on, at their size S
    position_map (U, U, 3) float32, pixels of the crop at 256: x right, y down, z to the viewer
    coarse, fine, normal  (S, S, 3) float32 unit normals in camera space (x right, y up, z to the viewer):
                 the coarse network's, the fine network's, and the final ones
    mask         (S, S) bool: the pixels that the base shape covers
    shape        the base shape (geometry.base_shape.BaseShape)
    projection   the base shape on the crop (geometry.project.Projection)
    parts        what of the crop shows the face (FaceParts)
    gain         (WIDE, WIDE, 3) float32 on the crop and its margin: what takes the light out of the colors
                 (`geometry.unlit`); None where the shading network has not looked
    """

    crop: Crop
    position_map: np.ndarray
    coarse: np.ndarray
    fine: np.ndarray
    normal: np.ndarray
    mask: np.ndarray
    shape: BaseShape
    projection: Projection
    parts: FaceParts = field(default_factory=FaceParts.bare)
    gain: np.ndarray | None = None

    @cached_property
    def landmarks(self) -> np.ndarray:
        """(68, 3) float32, iBUG order: x, y in pixels of the photo (y down), z in the same unit to the viewer."""
        return self.crop.resized(CROP).to_photo(sample(self.position_map, template().landmarks))

    @property
    def cover_notices(self) -> list[str]:
        """What covers the face, as sentences for the user. Its rim does not count: hair always begins there."""
        around = np.hypot(*np.moveaxis(self.projection.uv * 2 - 1, -1, 0))
        return self.parts.notices(self.projection.mask & (around < _WITHIN))

    def on_photo(self, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Normals on the photo's own pixels: normal (H, W, 3), coarse (H, W, 3) float32, mask (H, W) bool.

        shape: (H, W) or (H, W, channels). Within the crop's square the normals are given beside the face too;
        elsewhere they are zero.
        """
        mask = self.resample_to_photo(self.mask.astype(np.float32), shape) > 0.5
        return self.resample_to_photo(self.normal, shape), self.resample_to_photo(self.coarse, shape), mask

    def parts_on_photo(self, shape: tuple[int, ...]) -> np.ndarray:
        """The parts (H, W) uint8, numbers of `parts.PARTS`, on a photo's pixels; background far beside the face."""
        best = np.full(shape[:2], _LEAST, np.float32)
        part = np.zeros(shape[:2], np.uint8)
        crop = wide_crop(self.crop.resized(CROP))
        for number, share in enumerate(self.parts.shares):
            likely = self._on_pixels(share.astype(np.float32), crop, shape)
            part[likely > best] = number
            np.maximum(best, likely, out=best)
        return part

    def skin_on_photo(self, shape: tuple[int, ...]) -> np.ndarray:
        """(H, W) bool on a photo's pixels: what is surely bare skin, the face's or not."""
        crop = wide_crop(self.crop.resized(CROP))
        return self._on_pixels(self.parts.shares[SKIN].astype(np.float32), crop, shape) > _SURE

    def colors_on_photo(self, color: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Colors (S, S, 3) of the crop and its margin on a photo's pixels (H, W, 3), black beside them."""
        crop = wide_crop(self.crop.resized(CROP)).resized(len(color))
        return np.dstack([self._on_pixels(np.ascontiguousarray(color[..., k]), crop, shape) for k in range(3)])

    def resample_to_photo(self, picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """A picture on the crop resampled to the pixels of a photo of `shape` (H, W); zero beside the crop.

        picture: unit normals (S, S, 3) in the crop's camera space, or values (S, S).
        """
        crop = self.crop.resized(len(picture))
        if picture.ndim == 3 and crop.turns:
            picture = picture @ crop.unturning.T
        return self._on_pixels(picture, crop, shape)

    @staticmethod
    def _on_pixels(picture: np.ndarray, crop: Crop, shape: tuple[int, ...]) -> np.ndarray:
        height, width = shape[:2]
        # Zeros cost no memory until they are written to, so a large photo is no burden.
        whole = np.zeros((height, width, *picture.shape[2:]), np.float32)
        left, right = (int(np.clip(round(crop.center_x + s * crop.reach), 0, width)) for s in (-1, 1))
        top, bottom = (int(np.clip(round(crop.center_y + s * crop.reach), 0, height)) for s in (-1, 1))
        if left < right and top < bottom:
            part = _warp_to_photo(picture, crop, left, top, right, bottom)
            whole[top:bottom, left:right] = normalize(part) if part.ndim == 3 else part
        return whole


def _warp_to_photo(picture: np.ndarray, crop: Crop, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """A crop's picture on the photo's pixels left..right, top..bottom."""
    step = crop.side / crop.size
    if step > 1:
        method = cv2.INTER_CUBIC
    else:
        # The photo is coarser than the crop: average first what falls into one of its pixels.
        method = cv2.INTER_LINEAR
        if step < 0.7:
            picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / step, borderType=cv2.BORDER_REPLICATE)
    if picture.ndim == 2:
        method = cv2.INTER_LINEAR
    # From the window's pixel to the crop's.
    matrix = cv2.invertAffineTransform(crop.matrix - [[0, 0, left], [0, 0, top]])

    def warp(layer: np.ndarray, method: int, border: int) -> np.ndarray:
        return cv2.warpAffine(
            layer, matrix, (right - left, bottom - top), flags=method | cv2.WARP_INVERSE_MAP, borderMode=border
        )

    part = warp(picture, method, cv2.BORDER_REPLICATE)
    if crop.turns % 1:  # the window's corners lie beside the square
        part[warp(np.ones(picture.shape[:2], np.uint8), cv2.INTER_NEAREST, cv2.BORDER_CONSTANT) == 0] = 0
    return part
