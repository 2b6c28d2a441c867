# SPDX-License-Identifier: GPL-3.0-or-later
"""One or several photos of a person to one head with its textures."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import cv2
import numpy as np

from hffne.estimate import FaceEstimate
from hffne.geometry.base_shape import BaseShape
from hffne.geometry.completion import LOW
from hffne.geometry.multi_photo import mean_shape, merge_textures, reference_photo
from hffne.geometry.textures import Textures
from hffne.geometry.vectors import normalize
from hffne.head.model import head_model
from hffne.head.skin import at_vertices, raster, skin
from hffne.head.surface import HeadSurface
from hffne.head.textures import AHEAD, unwrap_head


class Posed(Protocol):
    """A head as on a photo; fit.FittedHead."""

    @property
    def posed(self) -> np.ndarray:
        """(V, 3) float32: the model's vertices, meters, object axes."""


Head = TypeVar("Head", bound=Posed)


class HeadTextures(NamedTuple, Generic[Head]):
    """index of the photo whose camera and light the head has; the base shape, the head fitted to it, the textures."""

    reference: int
    shape: BaseShape
    head: Head
    textures: Textures


def head_textures(
    views: Sequence[tuple[np.ndarray, FaceEstimate]], fit: Callable[[BaseShape], Head], size: int = 1024
) -> HeadTextures[Head]:
    """The head of one person and its textures.

    views: the pixels (H, W, 3) of each photo, uint8 or uint16 sRGB, and the FaceEstimate on it; fit: fits a head to a
    base shape; size: the textures' side in texels.
    """
    shapes = [estimate.shape for _, estimate in views]
    heads = [fit(shape) for shape in shapes]
    textures = [
        unwrap_head(head.posed, estimate, rgb, size) for head, (rgb, estimate) in zip(heads, views, strict=True)
    ]
    if len(views) == 1:
        return HeadTextures(0, shapes[0], heads[0], textures[0])
    shape = mean_shape(shapes, textures, [_on_position_map(one.confidence) for one in textures])
    head = fit(shape)
    bases = [_base_normals(each.posed) for each in heads]
    merged = merge_textures(textures, bases, _base_normals(head.posed))
    return HeadTextures(reference_photo(textures), shape, head, merged)


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
