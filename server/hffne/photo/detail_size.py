# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a crop shows what a photo holds of a face: an enlarged or blurred photo holds less than its pixels."""

import cv2
import numpy as np

from hffne.photo.crop import Crop, extract_crop, to_gray

SIZES = (256, 512, 1024, 2048)
# A crop of a size shows a photo whose crop has up to this many times its pixels along a side.
_ENOUGH = 1.2
_EDGES = 0.05  # the share of the face's pixels where the picture changes most
# A picture is sharp when its contrast at the edges from 0.3 to 0.6 of the highest frequency, less the noise, is above
# this share of that from 0.15 to 0.3. Of 26 photos as they are 0.43 to 0.87 (one that is blurred 0.23), with noise or
# JPEG artifacts the same, enlarged three times 0.14 to 0.45, blurred by two pixels 0.04 to 0.13.
_HOLDS = 0.34
_LEAST = 0.002  # of the contrast: half a step of 8 bits
_NOISE = 1.2  # the square of the noise is taken as so many times what it is in the flat parts


def detail_size(rgb: np.ndarray, crop: Crop, mask: np.ndarray) -> int:
    """The smallest of SIZES that shows what a photo holds of a face.

    rgb: (H, W, 3) uint8 or uint16; crop: the face's square; mask (s, s) bool: the face on the crop.
    """
    side = int(min(crop.side, SIZES[-1])) // 16 * 16  # so that it can be halved
    if side <= SIZES[0] * _ENOUGH:
        return SIZES[0]
    gray = to_gray(extract_crop(rgb, crop.resized(side)))
    face = cv2.resize(mask.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST) > 0
    left, top, width, height = cv2.boundingRect(face.astype(np.uint8))
    box = (slice(top, top + _round(height)), slice(left, left + _round(width)))
    return _smallest(gray[box], face[box], side)


def _round(length: int) -> int:
    """A length not much shorter whose DCT is fast."""
    return length // 32 * 32


def _smallest(gray: np.ndarray, face: np.ndarray, side: int) -> int:
    """The smallest of SIZES for the part (H, W) of a crop of `side` pixels that holds the face."""
    if min(gray.shape) < 2:
        return SIZES[0]
    waves = cv2.dct(np.ascontiguousarray(gray, np.float32))  # mirrored at the border, which makes no edge
    rows, columns = (np.arange(length) / length for length in gray.shape)  # shares of the highest frequency
    highest = np.maximum.outer(rows, columns)
    held = float(side)
    high = _contrast(waves, highest, face, 0.3, 0.6)
    while held > SIZES[0] * _ENOUGH:
        reach = held / side
        low = _contrast(waves, highest, face, 0.15 * reach, 0.3 * reach)
        if high > max(_HOLDS * low, _LEAST):
            break
        held, high = held / 2, low
    return next((size for size in SIZES if held <= size * _ENOUGH), SIZES[-1])


def _contrast(waves: np.ndarray, highest: np.ndarray, face: np.ndarray, low: float, high: float) -> float:
    """The contrast of a band of frequencies where the face has its edges, less the noise of its flat parts."""
    band = np.abs(cv2.idct(np.where((highest > low) & (highest <= high), waves, 0)))
    broad = cv2.idct(np.where(highest <= low, waves, 0))  # noise does not choose the edges
    slope = np.hypot(cv2.Sobel(broad, cv2.CV_32F, 1, 0), cv2.Sobel(broad, cv2.CV_32F, 0, 1))
    inside = slope[face]
    if len(inside) < 100:
        return 0.0
    at_edges = np.square(band[face][inside >= np.quantile(inside, 1 - _EDGES)]).mean()
    noise = np.square(band[face][inside <= np.quantile(inside, 0.5)]).mean()
    return float(np.sqrt(max(at_edges - _NOISE * noise, 0)))
