# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut a square around a face out of a photo.

Photo coordinates here are continuous: the pixel in column k covers k to k + 1,
so its center is at k + 0.5. The sample i of a crop lies, in pixel indices, at
center + ((i + 0.5) / size - 0.5) * side - 0.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

# Pixels of the canonical crop: position maps are given in its pixels, and the coarse network's input is cut at it.
CROP = 256
# The square's side over the root of the detector's box area: on fitted photos the
# canonical crop (pipeline) is 1.45 +- 0.04 of it, centered on the box.
SIDE_OVER_BOX = 1.45
# The canonical crop's side over the rms radius of the position map: the face with some margin.
SIDE_OVER_RADIUS = 3.0

# How much tighter than the canonical crop the published network's samples are framed (26 of them: 1.26 to 1.42).
PUBLISHED = 1.33
FRAMINGS = {
    "auto": "published for the published network, wide for the others",
    "wide": "the canonical crop",
    "published": "its middle, as tight as the published samples",
    "picture": "the picture as it is: a face that is cropped already",
}

# Rec. 601, as every common converter to gray does it.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Crop:
    """A square of a photo, resampled to size x size pixels.

    center_x, center_y, side: photo pixels; the square may leave the photo.
    turns: by how many quarters the picture is turned counter-clockwise (as numpy.rot90, and also by parts of a
    quarter) about the square's center, so that a tilted face stands upright.
    """

    center_x: float
    center_y: float
    side: float
    size: int = CROP
    turns: float = 0

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """Crop-pixel indices (..., 2 or 3) to the photo's; z is scaled alone."""
        matrix = self.matrix
        moved = np.array(points, np.float32)
        moved[..., :2] = moved[..., :2] @ matrix[:, :2].T + matrix[:, 2]
        moved[..., 2:] *= np.float32(self.side / self.size)
        return moved

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Photo-pixel indices (..., 2 or 3) to the crop's; the inverse of `to_photo`."""
        matrix = self.matrix
        moved = np.array(points, np.float32)
        moved[..., :2] = (moved[..., :2] - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
        moved[..., 2:] *= np.float32(self.size / self.side)
        return moved

    def resized(self, size: int) -> "Crop":
        """The same square at another resolution."""
        return replace(self, size=size)

    def unturned_points(self, points: np.ndarray) -> np.ndarray:
        """Indices (..., 2 or 3) of the crop as those of the square before it was turned."""
        middle, moved = (self.size - 1) / 2, np.array(points, np.float32)
        moved[..., :2] = (moved[..., :2] - middle) @ self.unturning[:2, :2] + middle
        return moved

    @property
    def matrix(self) -> np.ndarray:
        """(2, 3) float64: crop-pixel indices to the photo's."""
        cosine, sine = _cosine_sine(self.turns)
        matrix = np.zeros((2, 3))
        matrix[:, :2] = np.array([[cosine, -sine], [sine, cosine]]) * (self.side / self.size)
        matrix[:, 2] = [self.center_x - 0.5, self.center_y - 0.5] - matrix[:, :2].sum(1) * ((self.size - 1) / 2)
        return matrix

    @property
    def unturning(self) -> np.ndarray:
        """Rotation (3, 3) of camera-space vectors of the crop (x right, y up) to those of the photo."""
        cosine, sine = _cosine_sine(self.turns)
        return np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]], np.float32)

    @property
    def reach(self) -> float:
        """Half of the width and height in photo pixels that the square covers as it lies on the photo."""
        return self.side / 2 * sum(abs(part) for part in _cosine_sine(self.turns))


def _cosine_sine(turns: float) -> tuple[float, float]:
    """Cosine and sine of an angle in quarter turns; exact for whole quarters."""
    angle = turns * np.pi / 2
    return round(float(np.cos(angle)), 12), round(float(np.sin(angle)), 12)


def crop_for_box(box: Sequence[float], size: int = CROP, turns: float = 0) -> Crop:
    """The square around a detector's box (x, y, width, height) in photo pixels, with the training crops' margin."""
    x, y, width, height = (float(v) for v in box)
    side = SIDE_OVER_BOX * float(np.sqrt(max(width, 1.0) * max(height, 1.0)))
    return Crop(x + width / 2, y + height / 2, side, size, turns)


def extract_crop(rgb: np.ndarray, crop: Crop) -> np.ndarray:
    """Resample the crop: (H, W, 3) uint8 or uint16 -> (size, size, 3) float32 in 0..1.

    Averages when it shrinks (no aliasing), interpolates linearly when it grows;
    outside of the photo the edge pixels go on. Only the part under the crop is
    touched, so a large photo costs no more than the face on it.
    """
    height, width = rgb.shape[:2]
    left, right = _covered(crop.center_x, 2 * crop.reach, width)
    top, bottom = _covered(crop.center_y, 2 * crop.reach, height)
    part = np.ascontiguousarray(rgb[top:bottom, left:right])
    shrink = crop.side / crop.size
    scale_x = scale_y = 1.0
    if shrink > 1.0:
        small = (
            max(1, round(part.shape[1] / shrink)),
            max(1, round(part.shape[0] / shrink)),
        )
        scale_x, scale_y = part.shape[1] / small[0], part.shape[0] / small[1]
        part = cv2.resize(part, small, interpolation=cv2.INTER_AREA)
    # From crop index to the index in `part`, whose pixels are `scale` of the photo's.
    scale = np.array([[scale_x], [scale_y]])
    matrix = crop.matrix
    matrix[:, 2] += 0.5 - np.array([left, top])
    matrix /= scale
    matrix[:, 2] -= 0.5
    full = float(np.iinfo(rgb.dtype).max) if rgb.dtype.kind == "u" else 1.0
    part = part.astype(np.float32) / np.float32(full)
    return cv2.warpAffine(
        part,
        matrix,
        (crop.size, crop.size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def to_gray(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) float32 sRGB -> (...) float32, the luma of the encoded values."""
    return np.asarray(rgb, np.float32) @ _LUMA


def _covered(center: float, side: float, length: int) -> tuple[int, int]:
    """The pixel range of one axis under the crop, with room for interpolation."""
    margin = 2 + side / 64
    first = int(np.floor(np.clip(center - side / 2 - margin, 0, length - 1)))
    last = int(np.ceil(np.clip(center + side / 2 + margin, first + 1, length)))
    return first, last
