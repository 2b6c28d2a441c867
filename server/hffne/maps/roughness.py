# SPDX-License-Identifier: GPL-3.0-or-later
"""A default for the skin's roughness of a Principled material; not a measurement.

Gloss and color cannot be separated in one photo. So general knowledge is used: the oily parts (nose, forehead)
and the wet ones (lips) are smoother than the cheeks and the jaw, and creases hold less oil and more powder
than ridges (Weyrich et al. 2006 measured the parts of the face).
"""

import cv2
import numpy as np

from hffne.maps.uv_surface import by_region

SKIN = 0.48
PARTS = {"forehead": 0.43, "nose": 0.38, "lips": 0.33, "eyes": 0.42, "cheeks": 0.48, "jaw": 0.50, "brows": 0.55}
# By how much a crease of CREASE (1/m) is rougher than flat skin; a ridge is smoother by as much.
CREASE, CREASE_SHARE = 300.0, 0.10
# Sigma of the borders between regions, as a share of the UV square.
SOFT = 2.5 / 128


def roughness(regions: dict[str, np.ndarray], curvature: np.ndarray) -> np.ndarray:
    """Roughness (S, S) uint8, 255 is 1. regions: name -> (U, U) bool; curvature (S, S) 1/m."""
    rough: np.ndarray = cv2.resize(
        by_region(regions, PARTS, SKIN, SOFT), curvature.shape[::-1], interpolation=cv2.INTER_CUBIC
    )
    crease = curvature / np.float32(CREASE)
    rough -= CREASE_SHARE * np.clip(crease, -1, 1, out=crease)
    np.clip(rough, 0.05, 1, out=rough)
    rough *= 255
    return (rough + np.float32(0.5)).astype(np.uint8)
