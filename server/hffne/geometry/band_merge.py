# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's normal: the head's shape from the coarse normal, the relief from the fine one."""

import cv2
import numpy as np

from hffne.geometry.grids import blur
from hffne.geometry.vectors import normalize, turn

# Where shape ends and relief begins: a Gaussian's sigma in pixels of a 256 crop. On 25 held-out photos 1.5, 2.0 and 2.5
# explain 33, 40 and 46 % of their fine light; the smaller, the closer to the truth on renders (eight faces, 1.5, 2.25 and
# 3.0: 7.4, 7.5, 7.6 degrees). 2.25 keeps 40 % with some room.
SIGMA = 2.25


def merge(coarse, fine, mask, sigma=SIGMA):
    """Unit normals (S, S, 3) float32 in camera space with the low band of `coarse` and the high band of `fine`.

    The fine network's exemplar is a mere vector, so its low band follows the photo's shading rather than the
    head. Each fine normal is turned by the rotation that takes the fine low band to the coarse low band: its
    relief is kept relative to the surface it sits on. `mask` (S, S) bool: the face; bands are means over the face
    only. Outside of it the coarse normal is returned, with a soft change at the rim.
    """
    if not mask.any():
        return normalize(coarse).astype(np.float32)
    width = sigma * len(coarse) / 256
    soft = blur(mask.astype(np.float32), width / 3) * mask
    shape = normalize(blur(coarse, width, mask))
    ground = normalize(blur(fine, width, mask))
    merged = turn(fine, ground, shape)
    # Within the face, full relief a little inside of the rim.
    share = np.clip(soft * 2 - 1, 0, 1)[..., None]
    return normalize(merged * share + coarse * (1 - share)).astype(np.float32)


def enlarge(normals, size):
    """Normals (s, s, 3) at another size, unit length."""
    if normals.shape[0] == size:
        return normals
    method = cv2.INTER_AREA if size < normals.shape[0] else cv2.INTER_CUBIC
    return normalize(cv2.resize(normals, (size, size), interpolation=method)).astype(np.float32)
