# SPDX-License-Identifier: GPL-3.0-or-later
"""Variation of the second head family's renders each time one is drawn: colors and added forms."""

import cv2
import numpy as np

from hffne.synthesis.relief_maps import FLAT
from hffne.synthesis.render import SKIN

_LID_FORMS = 0.25  # of added forms near lids, which this family has itself


def recolored(rng: np.random.Generator, albedo: np.ndarray, kind: np.ndarray, studio: bool) -> np.ndarray:
    """Vary the colors (S, S) uint8 (gray, encoded sRGB) of a buffer with kinds (S, S).

    The skin becomes lighter or darker and its shades are flattened by a random share, in a studio by more, so that lids
    and lips must often be recognized by their shading alone.
    """
    skin = kind == SKIN
    if not skin.any():
        return albedo
    shades: np.ndarray = albedo.astype(np.float32)
    even = rng.uniform(0.2, 0.9) if studio else rng.uniform(0, 0.6) * (rng.random() < 0.5)
    typical = np.float32(np.median(shades[skin]))
    shades[skin] += (typical - shades[skin]) * np.float32(even)
    shades = shades * np.float32(np.exp(rng.normal(0, 0.12)))
    if rng.random() < 0.3:
        shades = cv2.GaussianBlur(shades, (0, 0), rng.uniform(0.4, 0.9))
    return np.clip(np.round(shades), 1, 255).astype(np.uint8)


def weaken_at_lids(forms: np.ndarray, lids: np.ndarray) -> np.ndarray:
    """Forms (S, S, 3) on the crop, weakened where `lids` (S, S) is 1."""
    share = 1 - (1 - _LID_FORMS) * cv2.GaussianBlur(lids, (0, 0), 2.0)[..., None]
    flat = np.array(FLAT, np.float32)
    return (flat + (forms - flat) * share).astype(np.float32)
