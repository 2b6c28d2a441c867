# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's normal: the head's shape from the coarse normal, the relief from the fine one."""

import cv2
import numpy as np

from .resample import best_rotation, blur, normalise, turn

# Where shape ends and relief begins: a Gaussian's sigma in pixels of a 256 crop. Smaller is closer to the truth
# while the fine network's middle band is worse than the coarse one's; larger keeps more of wide wrinkles.
SIGMA = 4.0
# Over this sigma (pixels of 256) the base shape's normal sets in from the face's outline inward.
RIM = 4.0
# What the base shape counts for in the mean with the coarse normal, which is the more exact of the two.
BASE_SHARE = 1 / 3


def merge(coarse, fine, mask, sigma=SIGMA):
    """Unit normals (S, S, 3) float32 in camera space with the low band of `coarse` and the high band of `fine`.

    `coarse` is the head's smooth normal, from `joint_shape` or a network.
    The fine network's exemplar is a mere vector, so its low band follows the photo's shading rather than the
    head. Each fine normal is turned by the rotation that takes the fine low band to the coarse low band: its
    relief is kept relative to the surface it sits on. `mask` (S, S) bool: the face; bands are means over the face
    only. Outside of it the coarse normal is returned, with a soft change at the rim.
    """
    if not mask.any():
        return normalise(coarse).astype(np.float32)
    width = sigma * len(coarse) / 256
    soft = blur(mask.astype(np.float32), width / 3) * mask
    shape = normalise(blur(coarse, width, mask))
    ground = normalise(blur(fine, width, mask))
    merged = turn(fine, ground, shape)
    # Within the face, full relief a little inside of the rim.
    share = np.clip(soft * 2 - 1, 0, 1)[..., None]
    return normalise(merged * share + coarse * (1 - share)).astype(np.float32)


def joint_shape(coarse, projection):
    """The best guess of the head's smooth normal (S, S, 3): a mean of the coarse network's and the base shape's.

    One sees shading, the other proportions, so their errors are independent to a good part and their mean has
    less than either. The pose is the coarse network's alone, for that of a position map is weak in depth: the
    base is turned to it first. Beside the base shape it is the coarse normal; the change is soft.
    """
    size = len(coarse)
    base, mask = enlarge(projection.normal, size), projection.mask.astype(np.float32)
    if len(mask) != size:
        mask = cv2.resize(mask, (size, size), interpolation=cv2.INTER_LINEAR)
    face = mask > 0.99
    if not face.any():
        return coarse
    base = base @ best_rotation(base[face], coarse[face]).T.astype(np.float32)
    share = np.clip(blur(mask, RIM * size / 256) * 2 - 1, 0, 1)[..., None] * BASE_SHARE
    return normalise(coarse * (1 - share) + base * share).astype(np.float32)


def enlarge(normals, size):
    """Normals (s, s, 3) at another size, unit length."""
    if normals.shape[0] == size:
        return normals
    method = cv2.INTER_AREA if size < normals.shape[0] else cv2.INTER_CUBIC
    return normalise(cv2.resize(normals, (size, size), interpolation=method)).astype(np.float32)
