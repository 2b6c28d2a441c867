# SPDX-License-Identifier: GPL-3.0-or-later
"""A mask or a head with its textures, before the maps that are derived from it; the last one is kept."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hffne.estimate import FaceEstimate
from hffne.geometry.base_shape import BaseShape
from hffne.geometry.mesh import FaceMesh, build_mesh
from hffne.geometry.multi_photo import merge_textures
from hffne.geometry.smooth_field import SmoothField
from hffne.geometry.textures import Textures
from hffne.geometry.unwrap import unwrap
from hffne.geometry.uv import landmark_uvs
from hffne.photo.crop import CROP
from hffne.shared_views import pixels_per_meter, reference

if TYPE_CHECKING:
    from hffne.head.rig import Rig
    from hffne.maps.layout import Layout
    from hffne.photo.load import Photo

Views = Sequence["tuple[Photo, FaceEstimate]"]

# The largest side in texels of textures that are kept: 20 MB.
_KEPT = 1024


class TexturedBase(NamedTuple):
    """A mask or a head with its textures.

    reference: the index of the photo whose camera it has; layout: of the textures, None for the mask's; mesh(): the
    mesh, a head's rig or None, and the landmarks' UVs; unlit(views, size): the colors (size, size, 3) uint8 without
    light, by the gains of the same views' estimates, which have the artist's correction.
    """

    reference: int
    shape: BaseShape
    textures: Textures
    layout: Layout | None
    mesh: Callable[[], tuple[FaceMesh, Rig | None, np.ndarray]]
    unlit: Callable[[Views, int], np.ndarray]


def textured_mask(views: Views, texture_size: int, grid: int) -> TexturedBase:
    """The mask of one or several photos' estimates, which share one shape.

    texture_size in texels; grid: vertices along a side.
    """
    first = reference([estimate for _, estimate in views])
    shape = views[first][1].shape
    return TexturedBase(
        first,
        shape,
        _unwrapped(views, texture_size),
        None,
        lambda: (build_mesh(shape, grid), None, landmark_uvs()),
        lambda views, size: _unwrapped(views, size, unlit=True).color,
    )


def _unwrapped(views: Views, size: int, unlit: bool = False) -> Textures:
    estimates = [estimate for _, estimate in views]
    textures = [
        unwrap(
            estimate.shape,
            estimate.projection,
            estimate.normal,
            photo.rgb,
            estimate.crop.resized(CROP),
            size,
            estimate.parts,
            estimate.gain if unlit else None,
        )
        for photo, estimate in views
    ]
    return merge_textures(textures, reference(estimates), [pixels_per_meter(each) for each in estimates])


def textured_head(views: Views, texture_size: int, lod: str, field: SmoothField | None) -> TexturedBase | None:
    """The head of one or several photos' estimates, None where the fitted head is not sound. lod: see head.model.LODS;
    field: an artist's correction."""
    from hffne.head import rig
    from hffne.head.build import head_textures, unlit_colors
    from hffne.head.layout import HeadLayout
    from hffne.head.sound import is_sound

    made = head_textures([(photo.rgb, estimate) for photo, estimate in views], texture_size, field)
    if not is_sound(made.head):
        return None
    return TexturedBase(
        made.reference,
        made.shape,
        made.textures,
        HeadLayout(made.head.posed),
        lambda: (*rig.rigged(made.head, lod), rig.landmark_uvs()),
        lambda views, size: unlit_colors(made.shown, [(photo.rgb, estimate) for photo, estimate in views], size),
    )


class LastBase:
    """The base that was made last, for other maps of the same photos: they need no other fit and textures."""

    def __init__(self) -> None:
        self._estimates: list[weakref.ref[FaceEstimate]] = []
        self._settings: tuple[object, ...] = ()
        self._made: TexturedBase | None = None

    def forget(self) -> None:
        """Give its memory back."""
        self._estimates, self._made = [], None

    def get(self, views: Views, *settings: object) -> TexturedBase | None:
        """The base that was kept for these very estimates and equal settings, else None."""
        kept = [estimate() for estimate in self._estimates]
        same = len(kept) == len(views) and all(a is b for a, (_, b) in zip(kept, views, strict=True))
        return self._made if same and settings == self._settings else None

    def keep(self, made: TexturedBase, views: Views, *settings: object) -> None:
        """Keep a base, unless it is large."""
        self.forget()
        if len(made.textures.color) <= _KEPT:
            # Weakly: what the networks found is much larger.
            self._estimates = [weakref.ref(estimate) for _, estimate in views]
            self._settings, self._made = settings, made
