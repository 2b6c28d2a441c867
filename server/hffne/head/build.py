# SPDX-License-Identifier: GPL-3.0-or-later
"""One or several photos of a person to one head with its textures."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hffne.corrected import corrected, corrected_shape
from hffne.estimate import FaceEstimate
from hffne.geometry.base_shape import BaseShape
from hffne.geometry.multi_photo import merge_textures
from hffne.geometry.smooth_field import SmoothField
from hffne.geometry.textures import Textures
from hffne.head.fitted import FittedHead, fit_head
from hffne.head.textures import HeadOnPhoto, head_on_photo, unwrap_head
from hffne.photo.crop import CROP
from hffne.shared_views import pixels_per_meter, reference


class TexturedHead(NamedTuple):
    """The index of the photo whose camera and light the head has, the base shape, the head fitted to it, its textures,
    and how each photo shows it.

    The maps of the head are those of ``maps.registry.make_maps`` with ``layout=head.layout.HeadLayout(head.posed)``.
    """

    reference: int
    shape: BaseShape
    head: FittedHead
    textures: Textures
    shown: list[HeadOnPhoto]


def head_textures(
    views: Sequence[tuple[np.ndarray, FaceEstimate]], size: int = 1024, field: SmoothField | None = None
) -> TexturedHead:
    """The head of one person and its textures.

    views: the pixels (H, W, 3) of each photo, uint8 or uint16 sRGB, and the FaceEstimate on it, all with one shape
    (`shared_views.shared`); size: the textures' side in texels; field: an artist's correction of the fitted head.
    """
    first = reference([estimate for _, estimate in views])
    rgb, estimate = views[first]
    mouth_closed = estimate.parts.mouth_closed
    head = fit_head(estimate.shape, rgb, estimate.crop.resized(CROP), field, mouth_closed)
    views = [(pixels, corrected(each, field)) for pixels, each in views]
    shown = [head_on_photo(head.posed, each, pixels.shape) for pixels, each in views]
    return TexturedHead(first, corrected_shape(estimate.shape, field), head, _merged(shown, views, size), shown)


def unlit_colors(shown: list[HeadOnPhoto], views: Sequence[tuple[np.ndarray, FaceEstimate]], size: int) -> np.ndarray:
    """The colors (size, size, 3) uint8 sRGB of a head without the photos' light, by the estimates' gains.

    views: those of `head_textures`, with the artist's correction in the estimates; shown: its result's.
    """
    return _merged(shown, views, size, unlit=True).color


def _merged(
    shown: list[HeadOnPhoto], views: Sequence[tuple[np.ndarray, FaceEstimate]], size: int, unlit: bool = False
) -> Textures:
    estimates = [estimate for _, estimate in views]
    textures = [
        unwrap_head(head, estimate, rgb, size, unlit) for head, (rgb, estimate) in zip(shown, views, strict=True)
    ]
    return merge_textures(textures, reference(estimates), [pixels_per_meter(each) for each in estimates])
