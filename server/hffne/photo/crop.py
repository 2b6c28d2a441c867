# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut a square around a face out of a photo.

Photo coordinates here are continuous: the pixel in column k covers k to k + 1,
so its centre is at k + 0.5. The sample i of a crop lies, in pixel indices, at
center + ((i + 0.5) / size - 0.5) * side - 0.5.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

# The square's side over the root of the detector's box area: on fitted photos the
# canonical crop (pipeline) is 1.45 +- 0.04 of it, centred on the box.
SIDE_OVER_BOX = 1.45
# The canonical crop's side over the rms radius of the position map: the face with some margin.
SIDE_OVER_RADIUS = 3.0

# Rec. 601, as every common converter to grey does it.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Crop:
    """An axis-aligned square of a photo, resampled to size x size pixels.

    center_x, center_y, side: photo pixels; the square may leave the photo.
    turns: quarter turns counter-clockwise (as numpy.rot90) after it is cut, so that a sideways face stands upright.
    """

    center_x: float
    center_y: float
    side: float
    size: int = 256
    turns: int = 0

    def to_photo(self, points):
        """Crop-pixel indices (..., 2 or 3) to the photo's; z is scaled alone."""
        scale = self.side / self.size
        moved = self.unturned_points(points) * np.float32(scale)
        offset = (0.5 - self.size / 2) * scale - 0.5
        moved[..., 0] += self.center_x + offset
        moved[..., 1] += self.center_y + offset
        return moved

    def to_crop(self, points):
        """Photo-pixel indices (..., 2 or 3) to the crop's; the inverse of `to_photo`."""
        scale = self.size / self.side
        moved = np.array(points, np.float32)
        moved[..., 0] += 0.5 - self.center_x
        moved[..., 1] += 0.5 - self.center_y
        moved *= np.float32(scale)
        moved[..., :2] += self.size / 2 - 0.5
        for _ in range(self.turns):
            moved[..., 0], moved[..., 1] = moved[..., 1].copy(), self.size - 1 - moved[..., 0]
        return moved

    def resized(self, size):
        """The same square at another resolution."""
        return replace(self, size=size)

    def unturned_points(self, points):
        """Indices (..., 2 or 3) of the crop as those of the square before it was turned."""
        moved = np.array(points, np.float32)
        for _ in range(self.turns):
            moved[..., 0], moved[..., 1] = self.size - 1 - moved[..., 1], moved[..., 0].copy()
        return moved

    @property
    def unturning(self):
        """Rotation (3, 3) of camera-space vectors of the crop (x right, y up) to those of the photo."""
        quarter = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], np.float32)
        return np.linalg.matrix_power(quarter, self.turns)


def crop_for_box(box, size=256, turns=0):
    """The square to look at for a detector's box (x, y, width, height) in photo pixels."""
    x, y, width, height = (float(v) for v in box)
    side = SIDE_OVER_BOX * float(np.sqrt(max(width, 1.0) * max(height, 1.0)))
    return Crop(x + width / 2, y + height / 2, side, size, turns)


def take(rgb, crop):
    """Resample the crop: (H, W, 3) uint8 or uint16 -> (size, size, 3) float32 in 0..1.

    Averages when it shrinks (no aliasing), interpolates linearly when it grows;
    outside of the photo the edge pixels go on. Only the part under the crop is
    touched, so a large photo costs no more than the face on it.
    """
    height, width = rgb.shape[:2]
    left, right = _covered(crop.center_x, crop.side, width)
    top, bottom = _covered(crop.center_y, crop.side, height)
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
    step = crop.side / crop.size
    start_x = crop.center_x + (0.5 - crop.size / 2) * step - left
    start_y = crop.center_y + (0.5 - crop.size / 2) * step - top
    # From crop index to the index in `part`.
    matrix = np.array(
        [
            [step / scale_x, 0.0, start_x / scale_x - 0.5],
            [0.0, step / scale_y, start_y / scale_y - 0.5],
        ]
    )
    full = float(np.iinfo(rgb.dtype).max) if rgb.dtype.kind == "u" else 1.0
    part = part.astype(np.float32) / np.float32(full)
    square = cv2.warpAffine(
        part,
        matrix,
        (crop.size, crop.size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.ascontiguousarray(np.rot90(square, crop.turns))


def to_gray(rgb):
    """(..., 3) float32 sRGB -> (...) float32, the luma of the encoded values."""
    return np.asarray(rgb, np.float32) @ _LUMA


def _covered(center, side, length):
    """The pixel range of one axis under the crop, with room for interpolation."""
    margin = 2 + side / 64
    first = int(np.floor(np.clip(center - side / 2 - margin, 0, length - 1)))
    last = int(np.ceil(np.clip(center + side / 2 + margin, first + 1, length)))
    return first, last
