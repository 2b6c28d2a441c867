# SPDX-License-Identifier: GPL-3.0-or-later
"""One or several photos of a person to one head with its textures."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from hffne.corrected import corrected, corrected_shape
from hffne.estimate import FaceEstimate
from hffne.geometry.base_shape import BaseShape
from hffne.geometry.completion import LOW
from hffne.geometry.multi_photo import mean_shape, merge_textures, reference_photo
from hffne.geometry.smooth_field import SmoothField
from hffne.geometry.textures import Textures
from hffne.geometry.vectors import normalize
from hffne.head.fitted import FittedHead, fit_head
from hffne.head.model import head_model
from hffne.head.skin import at_vertices, raster, skin
from hffne.head.surface import HeadSurface
from hffne.head.textures import AHEAD, unwrap_head
from hffne.photo.crop import CROP


class TexturedHead(NamedTuple):
    """The index of the photo whose camera and light the head has, the base shape, the head fitted to it, its textures.

    The maps of the head are those of ``maps.registry.make_maps`` with ``layout=head.layout.HeadLayout(head.posed)``.
    """

    reference: int
    shape: BaseShape
    head: FittedHead
    textures: Textures


def head_textures(
    views: Sequence[tuple[np.ndarray, FaceEstimate]], size: int = 1024, field: SmoothField | None = None
) -> TexturedHead:
    """The head of one person and its textures.

    views: the pixels (H, W, 3) of each photo, uint8 or uint16 sRGB, and the FaceEstimate on it; size: the textures'
    side in texels; field: an artist's correction of the fitted head.
    """
    heads = [_fitted(estimate.shape, rgb, estimate, field) for rgb, estimate in views]
    textures = [
        unwrap_head(head.posed, corrected(estimate, field), rgb, size)
        for head, (rgb, estimate) in zip(heads, views, strict=True)
    ]
    first = reference_photo(textures)
    rgb, estimate = views[first]
    if len(views) == 1:
        return TexturedHead(first, corrected_shape(estimate.shape, field), heads[0], textures[0])
    shown = [_on_position_map(one.confidence) for one in textures]
    shape = mean_shape([view[1].shape for view in views], textures, shown)
    head = _fitted(shape, rgb, estimate, field)
    bases = [_base_normals(each.posed) for each in heads]
    merged = merge_textures(textures, bases, _base_normals(head.posed))
    return TexturedHead(first, corrected_shape(shape, field), head, merged)


def _fitted(shape: BaseShape, rgb: np.ndarray, estimate: FaceEstimate, field: SmoothField | None) -> FittedHead:
    return fit_head(shape, rgb, estimate.crop.resized(CROP), field, estimate.parts.mouth_closed)


def _on_position_map(confidence: np.ndarray) -> np.ndarray:
    """The confidence (T, T) of a head's textures on the position map's layout (U, U)."""
    model = head_model()
    small = cv2.resize(confidence, (LOW, LOW), interpolation=cv2.INTER_AREA)
    vertices = np.zeros((len(model.neutral), 1), np.float32)
    vertices[skin().vertices] = at_vertices(small[..., None])
    return np.clip(model.at_texels(vertices)[..., 0], 0, 1).astype(np.float32)


def _base_normals(posed: np.ndarray) -> np.ndarray:
    """Normals (LOW, LOW, 3) of a posed head (V, 3) on the UV square."""
    return normalize(raster(LOW).interpolated(HeadSurface(posed).normals[skin().of_point], AHEAD))
