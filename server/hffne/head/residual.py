# SPDX-License-Identifier: GPL-3.0-or-later
"""What the model cannot express of a position map, as a smooth displacement of all vertices of the head."""

from functools import cache

import cv2
import numpy as np

from hffne.geometry.grids import blur, fill_gaps, smoothstep
from hffne.geometry.uv import coordinates, pixels, template
from hffne.head.eyes import eyes
from hffne.head.model import head_model

# Sigma in texels: finer differences are the network's noise.
SMOOTH = 2.0
# Distance from the layout's middle, 1 at its rim, at which the displacement begins to fade, and where it has ended.
FADE = 0.9, 1.35
# Parts that keep their form: they move as a whole.
_RIGID = ("Teeth", "Gums and Tongue")


def displacement(difference: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The displacement (V, 3) of the head's vertices from that of the texels.

    difference (U, U, 3): from the model's surface to the position map, in the model's axes; known (U, U) bool.
    Skin follows it smoothly, more softly the farther it is from the face; teeth and eyeballs follow as a whole.
    """
    field = blur(np.where(known[..., None], difference, 0).astype(np.float32), SMOOTH, known)
    field = fill_gaps(field, known.astype(np.float32))
    where, share = _places()
    moved = cv2.remap(field, where[None, :, 0], where[None, :, 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)[0]
    moved *= share[:, None]
    model = head_model()
    for part in _RIGID:
        index = model.part_vertices[part]
        front = index[model.neutral[index, 2] > np.quantile(model.neutral[index, 2], 0.7)]
        moved[index] = moved[front].mean(0)
    for eye in eyes():
        moved[eye.moved] = moved[eye.lids].mean(0)
    return moved


@cache
def _places() -> tuple[np.ndarray, np.ndarray]:
    """Column and row (V, 2) float32 of each vertex in the layout, and the share (V,) of the displacement it takes."""
    model = head_model()
    at = coordinates(model.neutral)
    distance = np.hypot(at[:, 0], at[:, 1])
    # Beyond the rim the value of the rim counts.
    at = at / np.maximum(distance, 1)[:, None]
    share = 1 - smoothstep(*FADE, distance)
    return pixels(at, len(template().mask)).astype(np.float32), share.astype(np.float32)
