# SPDX-License-Identifier: GPL-3.0-or-later
"""The published framing: the networks see the middle of our own crop, and a mesh needs the whole face again."""

from dataclasses import replace

import cv2
import numpy as np

from hffne.errors import RequestError
from hffne.estimate import FaceEstimate
from hffne.geometry.base_shape import BaseShape
from hffne.geometry.grids import fill_gaps
from hffne.geometry.project import MAX_SIZE, project
from hffne.geometry.vectors import normalize
from hffne.photo.crop import CROP, FRAMINGS, Crop

_MIDDLE = CROP / 2 - 0.5
# The share of the small square's side over which its normals fade into the base mesh's.
_FADE = 0.03


def chosen_framing(name: str, model: str) -> str:
    """The framing of a name of FRAMINGS for a model, "compact" or "paper". Raises RequestError."""
    if name not in FRAMINGS:
        raise RequestError(f"There is no framing {name!r}.", hint=f"Choose one of: {', '.join(FRAMINGS)}.")
    if name != "auto":
        return name
    return "published" if model == "paper" else "wide"


def middle_of(crop: Crop, factor: float) -> Crop:
    """The square in the middle of a crop, `factor` times smaller."""
    return replace(crop, side=crop.side / factor)


def in_the_middle(position: np.ndarray, factor: float) -> np.ndarray:
    """A position map (U, U, 3) of a crop as one of its `middle_of`; pixels of 256, x right, y down, z to the viewer."""
    middle = np.array([_MIDDLE, _MIDDLE, 0], np.float32)
    return ((position - middle) * np.float32(factor) + middle).astype(np.float32)


def widened(estimate: FaceEstimate, factor: float) -> FaceEstimate:
    """An estimate on a crop's middle as one on the whole crop, so that all of the face lies on it.

    What the networks did not see has the base mesh's normals, and beside the face those of its rim.
    """
    size = len(estimate.normal)
    whole = size + 2 * round(size * (factor - 1) / 2)
    factor = whole / size  # in whole pixels on each side
    position = in_the_middle(estimate.position_map, 1 / factor)
    projection = project(position, min(max(whole, CROP), MAX_SIZE))
    known = fill_gaps(projection.normal, projection.mask.astype(np.float32))
    base = normalize(cv2.resize(known, (whole, whole), interpolation=cv2.INTER_LINEAR))
    start = (whole - size) // 2
    inside = np.zeros((whole, whole), np.float32)
    fade = max(1, round(_FADE * size))
    inside[start + fade : start + size - fade, start + fade : start + size - fade] = 1
    share = cv2.blur(inside, (2 * fade + 1, 2 * fade + 1))[..., None]

    def on_whole(picture: np.ndarray) -> np.ndarray:
        laid = base.copy()
        laid[start : start + size, start : start + size] = picture
        return normalize(laid * share + base * (1 - share)).astype(np.float32)

    mask = cv2.resize(projection.mask.astype(np.float32), (whole, whole), interpolation=cv2.INTER_LINEAR) > 0.5
    return FaceEstimate(
        crop=replace(estimate.crop, side=estimate.crop.side * whole / size, size=whole),
        position_map=position,
        coarse=on_whole(estimate.coarse),
        fine=on_whole(estimate.fine),
        normal=on_whole(estimate.normal),
        mask=mask,
        shape=_shape(estimate.shape, 1 / factor),
        projection=projection,
    )


def _shape(shape: BaseShape, factor: float) -> BaseShape:
    """A base shape of a crop as one of its `middle_of`."""
    x, y = ((at - _MIDDLE) * factor + _MIDDLE for at in shape.center)
    return replace(shape, scale=shape.scale * factor, center=(x, y), depth=shape.depth * factor)
