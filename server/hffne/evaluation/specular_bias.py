# SPDX-License-Identifier: GPL-3.0-or-later
"""What gloss does to a truth that photometric stereo made: it takes skin for matte, as Woodham (1980) does, and a highlight
for light that falls more squarely. Normals lean to where highlights are, in all faces alike.

Skin is a matte part and a lobe around the half vector (Blinn 1977).
"""

import numpy as np

from hffne.geometry.grids import blur
from hffne.geometry.photometric_stereo import half_vectors, least_squares

LOBE = 20  # the lobe's exponent: broad, as skin's is
LEAST = 4  # lights, for a pixel's gloss
# A light that leaves less than this share of a pixel's brightest value tells nothing of its gloss; or of its normal.
SHADOW, SHADOW_OF_SHAPE = 0.15, 0.1


def measured_gloss(photos, lights, normal, mask):
    """How strong the lobe is beside the matte part: the median over the mask's pixels, or None where the lights are too few.

    photos (L, H, W) linear in the light; lights (L, 3) unit, toward the light; normal (H, W, 3) unit, camera space;
    mask (H, W) bool. At every pixel that enough lights light, both parts are found by least squares. Along a
    truth's own normals, which lean to the highlights, it is too small rather than too large.
    """
    if len(lights) < LEAST:
        return None
    values = np.stack([blur(np.asarray(photo, np.float32), 1.5)[mask] for photo in photos], 1)
    matte, lobe = _lit(normal[mask], lights)
    lit = (values > SHADOW * values.max(1, keepdims=True)) & (matte > SHADOW)
    usable = lit.sum(1) >= LEAST
    if not usable.any():
        return None
    values, matte, lobe = ((part * lit)[usable].astype(np.float64) for part in (values, matte, lobe))
    mm, ml, ll = ((a * b).sum(1) for a, b in ((matte, matte), (matte, lobe), (lobe, lobe)))
    vm, vl = ((values * part).sum(1) for part in (matte, lobe))
    area = np.maximum(mm * ll - ml**2, 1e-9)
    albedo, gloss = (vm * ll - vl * ml) / area, (vl * mm - vm * ml) / area
    return float(np.median(np.clip(gloss, 0, None) / np.maximum(albedo, 1e-3)))


def taken_for_matte(normal, gloss, lights):
    """The normals (N, 3) that photometric stereo finds where the normals (N, 3) and the gloss are these: plain least
    squares over the lights (L, 3) that light the pixel."""
    matte, lobe = _lit(normal, lights)
    values = (matte + gloss * lobe).T
    found, _, _ = least_squares(values, lights, values > SHADOW_OF_SHAPE * values.max(0))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _lit(normal, lights):
    """The matte part and the lobe (N, L) of normals (N, 3), as bright as they are under each light."""
    matte = np.clip(normal @ lights.T, 0, None)
    return matte, np.clip(normal @ half_vectors(lights).T, 0, None) ** LOBE * (matte > 0)
