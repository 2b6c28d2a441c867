# SPDX-License-Identifier: GPL-3.0-or-later
"""Colors of a photo without its light, by what the shading network tells of it."""

import cv2
import numpy as np

from hffne.geometry.face_parts import MARGIN, WIDE, FaceParts
from hffne.parts import SKIN
from hffne.photo.colors import encoded, to_linear

# Added to linear colors before their ratio is taken, so that dark ones tell little (networks.shading.DARK).
DARK = 0.02
# The most that a color is brightened or darkened, as a logarithm.
_LIMIT = 2.0


def centered(gain: np.ndarray, parts: FaceParts) -> np.ndarray:
    """The network's gains (WIDE, WIDE, 3) with a mean of 0 over the crop's skin: the photo's exposure stays."""
    weight = parts.shares[SKIN].astype(np.float32) * parts.face
    inner = weight[MARGIN : WIDE - MARGIN, MARGIN : WIDE - MARGIN]
    if inner.sum() < 1:
        inner = np.ones_like(inner)
    seen = gain[MARGIN : WIDE - MARGIN, MARGIN : WIDE - MARGIN].mean(2)
    return np.clip(gain - (seen * inner).sum() / inner.sum(), -_LIMIT, _LIMIT).astype(np.float32)


def without_light(color: np.ndarray, gain: np.ndarray, margin: int = MARGIN) -> np.ndarray:
    """sRGB colors (S, S, 3) float32 0..1 of the crop and `margin` pixels of 256 around it, without light.

    gain (WIDE, WIDE, 3): as from `centered`.
    """
    cut = MARGIN - margin
    gain = cv2.resize(gain[cut : WIDE - cut, cut : WIDE - cut], color.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return encoded((to_linear(color) + DARK) * np.exp(gain) - DARK)
