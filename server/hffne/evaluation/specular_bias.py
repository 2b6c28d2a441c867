# SPDX-License-Identifier: GPL-3.0-or-later
"""The bias of photometric stereo by specular reflection: it assumes matte skin (Woodham 1980).

Where the skin reflects a light specularly, photometric stereo takes the extra light for a surface that faces that
light more directly. So its normals are tilted toward highlights, in all faces alike. Here the strength of the specular
part is measured on the photos, and the same bias is applied to our own normals. Skin is modeled as a matte part and a
specular lobe around the half vector (Blinn 1977).
"""

from collections.abc import Sequence

import numpy as np

from hffne.geometry.grids import blur
from hffne.geometry.photometric_stereo import half_vectors, least_squares

LOBE = 20  # the lobe's exponent: a broad lobe, as skin has
MIN_LIGHTS = 4  # that must light a pixel to measure its specular part
# A light that leaves less than this share of a pixel's brightest value says nothing about the pixel's specular part;
# and nothing about its normal.
SHADOW, SHADOW_OF_SHAPE = 0.15, 0.1


def measure_specular_strength(
    photos: Sequence[np.ndarray] | np.ndarray, lights: np.ndarray, normal: np.ndarray, mask: np.ndarray
) -> float | None:
    """The strength of the specular lobe relative to the matte part: the median over the mask's pixels.

    photos (L, H, W) linear; lights (L, 3) unit, toward the light; normal (H, W, 3) unit, camera space; mask (H, W)
    bool. None when there are too few lights. At every pixel with enough lights, both parts are found by least squares.
    With ground truth normals, which are themselves tilted toward the highlights, the result is too small rather than
    too large.
    """
    if len(lights) < MIN_LIGHTS:
        return None
    values = np.stack([blur(np.asarray(photo, np.float32), 1.5)[mask] for photo in photos], 1)
    matte, lobe = _matte_and_lobe(normal[mask], lights)
    lit = (values > SHADOW * values.max(1, keepdims=True)) & (matte > SHADOW)
    usable = lit.sum(1) >= MIN_LIGHTS
    if not usable.any():
        return None
    values, matte, lobe = ((part * lit)[usable].astype(np.float64) for part in (values, matte, lobe))
    mm, ml, ll = ((a * b).sum(1) for a, b in ((matte, matte), (matte, lobe), (lobe, lobe)))
    vm, vl = ((values * part).sum(1) for part in (matte, lobe))
    area = np.maximum(mm * ll - ml**2, 1e-9)
    albedo, specular = (vm * ll - vl * ml) / area, (vl * mm - vm * ml) / area
    return float(np.median(np.clip(specular, 0, None) / np.maximum(albedo, 1e-3)))


def apply_specular_bias(normal: np.ndarray, strength: float, lights: np.ndarray) -> np.ndarray:
    """The unit normals (N, 3) that photometric stereo would find on a surface with the normals (N, 3).

    strength: of the specular lobe; lights (L, 3). Plain least squares over the lights that light the pixel.
    """
    matte, lobe = _matte_and_lobe(normal, lights)
    values = (matte + strength * lobe).T
    biased, _, _ = least_squares(values, lights, values > SHADOW_OF_SHAPE * values.max(0))
    return biased / np.linalg.norm(biased, axis=1, keepdims=True)


def _matte_and_lobe(normal: np.ndarray, lights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The matte part and the specular lobe (N, L) of normals (N, 3), as bright as they are under each light."""
    matte = np.clip(normal @ lights.T, 0, None)
    return matte, np.clip(normal @ half_vectors(lights).T, 0, None) ** LOBE * (matte > 0)
