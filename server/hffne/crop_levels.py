# SPDX-License-Identifier: GPL-3.0-or-later
"""The crop sizes on which the fine network runs for one result, and how their normals become one."""

from collections.abc import Sequence

import cv2
import numpy as np

from hffne.errors import SizeError
from hffne.geometry.band_merge import SIGMA, merge_bands, resize_normals
from hffne.geometry.face_parts import FaceParts
from hffne.photo.crop import CROP
from hffne.photo.detail_size import SIZES

# Larger crops must be a multiple of the fine network's coarsest pixel; beyond this no photo shows more.
STEP, LARGEST = 32, SIZES[-1]
# What a larger crop adds is finer than this sigma in its own pixels.
FINER = 2.0
_MARGIN = 16  # the crop's side over the margin beside the face that its larger crops show too

Area = tuple[slice, slice]  # rows and columns of a picture


def check_size(size: int) -> int:
    """Return `size`, the side of the fine network's crop in pixels; raises HffneError when it cannot be used."""
    if not isinstance(size, int) or isinstance(size, bool) or size % STEP or not CROP <= size <= LARGEST:
        raise SizeError(
            f"The crop cannot have {size!r:.60} pixels.",
            hint=f"Choose a multiple of {STEP} from {CROP} to {LARGEST}.",
        )
    return size


def levels(size: int) -> list[int]:
    """The crop sizes on which the fine network runs for a result of `size`: 256, its doubles, and the size itself."""
    doubles = [CROP]
    while doubles[-1] * 2 < size:
        doubles.append(doubles[-1] * 2)
    return doubles if size == CROP else [*doubles, size]


def merge_levels(
    coarse: np.ndarray, fines: Sequence[np.ndarray], mask: np.ndarray, parts: FaceParts | None = None
) -> np.ndarray:
    """The shape of the coarse normals, the relief of the fine ones, each finer than the one before: (S, S, 3).

    coarse (256, 256, 3); fines: (s, s, 3) for each of `levels`; mask (m, m) bool: the face; parts: what
    covers it.

    The whole face is in sight on the small crop, on which folds come; each larger crop adds only what is too fine for
    the one before it.
    """
    normal = coarse
    for fine in fines:
        size = len(fine)
        sigma = SIGMA if fine is fines[0] else FINER * CROP / size
        seen = parts.relief_on_crop(size) if parts else None
        if parts and fine is fines[0]:
            seen = seen * parts.off_lips
        normal = merge_bands(resize_normals(normal, size), fine, resized_mask(mask, size), sigma, seen)
    return normal


def face_area(mask: np.ndarray, size: int) -> Area:
    """The part of a crop of `size` pixels that holds the face `mask` (s, s), with a margin, in steps of 32 pixels."""
    lines = []
    for axis in (1, 0):
        at = np.flatnonzero(mask.any(axis))
        if not len(at):
            return slice(0, size), slice(0, size)
        first, last = (int(end) * size / len(mask) for end in (at[0], at[-1] + 1))
        margin = size / _MARGIN
        start, end = int((first - margin) // STEP) * STEP, -int(-(last + margin) // STEP) * STEP
        lines.append(slice(max(start, 0), min(end, size)))
    return lines[0], lines[1]


def resized_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """A mask (s, s) at another size."""
    if len(mask) == size:
        return mask
    return cv2.resize(mask.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR) > 0.5
