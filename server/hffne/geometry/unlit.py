# SPDX-License-Identifier: GPL-3.0-or-later
"""Colors of a photo without its light, by what the shading network tells of it."""

import cv2
import numpy as np

from hffne.geometry.face_parts import MARGIN, WIDE, FaceParts
from hffne.geometry.grids import smoothstep
from hffne.parts import SKIN
from hffne.photo.colors import LUMINANCE, encoded, to_linear

# Added to linear colors before their ratio is taken, so that dark ones tell little (`networks.shading`).
DARK = 0.02
# The most that a color is brightened or darkened, as a logarithm.
_LIMIT = 2.0
# How much of the skin's own hue takes the place of a pixel's, and between which gains.
_HUE, _BRIGHTENED = 0.6, (0.2, 1.0)
_FAINT = 1e-4
# How much of the light's color over all of the skin is taken out: a photo hardly tells it from the skin's own. On
# renders of people held out the skin's color is off by 2.65, 2.7, 2.8 and 3.2 CIEDE2000 with 0.5, 0.6, 0.75 and 1.
_CAST = 0.6


def centered(gain: np.ndarray, color: np.ndarray, parts: FaceParts) -> np.ndarray:
    """What takes the light out of the colors (WIDE, WIDE, 3) float32 of a crop and its margin, sRGB 0..1.

    gain (WIDE, WIDE, 3): the shading network's. Its mean over the crop's skin is made 0: the photo's exposure stays,
    and the light's own color is taken out in part.
    Where skin is brightened much its hue comes from the other skin in part: a camera's tone curve makes shadows more
    saturated, which brightening would show.
    """
    weight = parts.shares[SKIN].astype(np.float32) * parts.face
    inner = weight[MARGIN : WIDE - MARGIN, MARGIN : WIDE - MARGIN]
    if inner.sum() < 1:
        inner = np.ones_like(inner)
    seen = gain[MARGIN : WIDE - MARGIN, MARGIN : WIDE - MARGIN]
    light = np.einsum("ijc,ij->c", seen, inner) / inner.sum()
    gain = gain - light + _CAST * (light - light.mean())
    gain = gain + _toward_skin(np.maximum((to_linear(color) + DARK) * np.exp(gain) - DARK, _FAINT), gain, weight)
    return np.clip(gain, -_LIMIT, _LIMIT).astype(np.float32)


def _toward_skin(bare: np.ndarray, gain: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What gives linear colors (S, S, 3) that were brightened much the hue of the skin, at equal luminance, as gains.

    weight (S, S): where skin is.
    """
    skin = weight > 0.5
    if not skin.any():
        return np.zeros_like(bare)
    luminance = bare @ LUMINANCE
    hue = np.log(bare / luminance[..., None])
    share = _HUE * weight * smoothstep(*_BRIGHTENED, gain.mean(2))
    change = (np.median(hue[skin], axis=0) - hue) * share[..., None]
    return change - np.log((np.exp(change) * bare) @ LUMINANCE / luminance)[..., None]


def without_light(color: np.ndarray, gain: np.ndarray, margin: int = MARGIN) -> np.ndarray:
    """sRGB colors (S, S, 3) float32 0..1 of the crop and `margin` pixels of 256 around it, without light.

    gain (WIDE, WIDE, 3): as from `centered`.
    """
    cut = MARGIN - margin
    gain = cv2.resize(gain[cut : WIDE - cut, cut : WIDE - cut], color.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return encoded((to_linear(color) + DARK) * np.exp(gain) - DARK)
