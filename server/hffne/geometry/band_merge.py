# SPDX-License-Identifier: GPL-3.0-or-later
"""The final normal: the head's shape from the coarse normal, the relief from the fine one."""

import cv2
import numpy as np

from hffne.geometry.grids import blur
from hffne.geometry.vectors import normalize, rotate_between

# The border between shape and relief: a Gaussian's sigma in pixels of a 256 crop. On 25 held-out photos 1.5, 2.0 and
# 2.5 explain 33, 40 and 46 % of their fine luminance; the smaller, the closer to the ground truth on renders (eight
# faces, 1.5, 2.25 and 3.0: 7.4, 7.5, 7.6 degrees). 2.25 keeps 40 % with some margin.
SIGMA = 2.25


def merge_bands(coarse: np.ndarray, fine: np.ndarray, mask: np.ndarray, sigma: float = SIGMA) -> np.ndarray:
    """Unit normals (S, S, 3) float32 with the low-frequency band of `coarse` and the high-frequency band of `fine`.

    Both are unit normals (S, S, 3) in camera space.

    The fine network receives its exemplar as one vector, so its low band follows the photo's shading rather than the
    head. Each fine normal is rotated by the rotation that takes the fine low band to the coarse low band: its
    relief is kept relative to the surface it sits on. `mask` (S, S) bool: the face; bands are means over the face
    only. Outside of it the coarse normal is returned, with a soft transition at the rim.
    """
    if not mask.any():
        return normalize(coarse).astype(np.float32)
    width = sigma * len(coarse) / 256
    soft = blur(mask.astype(np.float32), width / 3) * mask
    coarse_low = normalize(blur(coarse, width, mask))
    fine_low = normalize(blur(fine, width, mask))
    merged = rotate_between(fine, fine_low, coarse_low)
    # Within the face, full relief a little inside of the rim.
    share = np.clip(soft * 2 - 1, 0, 1)[..., None]
    return normalize(merged * share + coarse * (1 - share)).astype(np.float32)


def resize_normals(normals: np.ndarray, size: int) -> np.ndarray:
    """Unit normals (s, s, 3) at another size: averaged when smaller, cubic when larger."""
    if normals.shape[0] == size:
        return normals
    method = cv2.INTER_AREA if size < normals.shape[0] else cv2.INTER_CUBIC
    return normalize(cv2.resize(normals, (size, size), interpolation=method)).astype(np.float32)
