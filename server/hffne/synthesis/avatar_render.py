# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry buffers of the second head family, as `render` makes them of the first, with the heads' own colors.

The family is registered to the face model: its mean head, warped so that the iBUG points lie where the model's lie,
gives every vertex a place in the position map's layout. So textures, relief and forms fall on the same features.
"""

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from hffne.geometry.uv import coordinates
from hffne.synthesis.avatar_heads import HAIR, AvatarHeads, Hair
from hffne.synthesis.face_model import LANDMARKS, FaceModel
from hffne.synthesis.rays import RayScene
from hffne.synthesis.render import SIZE, HeadView, Renderer, Window, seen_through
from hffne.synthesis.uv_layout import CENTER, UVLayout, outermost

# The points that register the family: brows, nose, eyes, outer lips, and a few of the jaw's.
_REGISTERED = np.array([0, 3, 5, 8, 11, 13, 16, *range(17, 60)])
_SMOOTHING = 0.02  # of the warp: points are not exact to the millimeter
_TEXELS = 1.5  # a color texture is reduced to so many texels along a side of the crop's pixel


def registered(points: np.ndarray, heads: AvatarHeads, model: FaceModel) -> np.ndarray:
    """Points (N, 3) in the family's frame, warped by what brings the mean head's iBUG points onto the face model's."""
    source = heads.shapes.mean(0)[heads.landmarks[_REGISTERED]].astype(np.float64)
    goal = model.neutral[LANDMARKS[_REGISTERED]] - CENTER
    warp = RBFInterpolator(source, goal - source, kernel="thin_plate_spline", smoothing=_SMOOTHING, degree=1)
    return (points + warp(np.asarray(points, np.float64))).astype(np.float32)


def avatar_layout(neutral: np.ndarray, triangles: np.ndarray, mask: np.ndarray) -> UVLayout:
    """The position map's layout on a registered head (V, 3): the outermost surface along every texel's direction.

    mask (U, U): the face model's own.
    """
    corners, weights, _ = outermost(neutral, triangles, len(mask))
    return UVLayout(corners, weights, mask)


class AvatarRenderer(Renderer):
    """Renders shapes of the second family; `model` and `layout`: the face model and its layout."""

    def __init__(self, heads: AvatarHeads, model: FaceModel, layout: UVLayout) -> None:
        self.heads = heads
        self.triangles = heads.triangles
        neutral = registered(heads.shapes.mean(0), heads, model)
        self.layout = avatar_layout(neutral, heads.triangles, layout.mask)
        self.uv = coordinates(neutral).astype(np.float32)
        self.kind = heads.kind
        self.color_uv = heads.uv
        self._warp = lambda points: registered(points, heads, model)

    def with_hair(self, hair: Hair) -> "AvatarRenderer":
        """The same for shapes that end with the cards' vertices (`dressed`)."""
        other = object.__new__(AvatarRenderer)
        other.__dict__.update(self.__dict__)
        count = len(self.kind)
        other.triangles = np.concatenate([self.triangles, hair.triangles + count])
        other.uv = np.concatenate([self.uv, coordinates(self._warp(hair.vertices)).astype(np.float32)])
        other.kind = np.concatenate([self.kind, np.full(len(hair.vertices), HAIR, np.uint8)])
        other.color_uv = np.concatenate([self.color_uv, hair.uv])
        return other

    def colored(
        self,
        shape: np.ndarray,
        view: HeadView,
        window: Window,
        gray: np.ndarray,
        hair: Hair | None = None,
        size: int = SIZE,
        zoom: float = 1.0,
    ) -> np.ndarray:
        """The colors (S, S) uint8 that the crop shows, gray as a screen shows them; zero beside the head.

        shape (V, 3), dressed if there is hair; gray (T, T) uint8: the color texture of skin, eyes and teeth. zoom:
        how many times closer than the whole crop the window is.
        """
        seen = (shape @ view.rotation.T).astype(np.float32)
        scene = RayScene(seen, self.triangles)
        index, weights = seen_through(scene, view, window, size)
        hit = index >= 0
        corners = self.triangles[index[hit]]
        place = np.zeros((size * size, 2), np.float32)
        place[hit] = (self.color_uv[corners] * weights[hit].astype(np.float32)[..., None]).sum(1)
        place = place.reshape(size, size, 2)
        shown = _looked_up(gray, place, size * zoom)
        if hair is not None:
            cards = np.zeros(size * size, bool)
            cards[hit] = self.kind[corners[:, 0]] == HAIR
            shown = np.where(cards.reshape(size, size), _looked_up(hair.gray, place, size * zoom), shown)
        return np.where(hit.reshape(size, size), shown, 0).astype(np.uint8)


def _looked_up(gray: np.ndarray, place: np.ndarray, size: float) -> np.ndarray:
    """A texture (T, T) at coordinates (S, S, 2), v down, as pixels of a whole crop of `size` pixels show it."""
    side = min(len(gray), int(size * _TEXELS))
    small = cv2.resize(gray, (side, side), interpolation=cv2.INTER_AREA) if side < len(gray) else gray
    xy = place * side - 0.5
    return cv2.remap(small, xy[..., 0], xy[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def dressed(shape: np.ndarray, hair: Hair) -> np.ndarray:
    """A shape (V, 3) with hair cards: vertices (V + H, 3). The cards follow the skin nearest to them."""
    distance, nearest = cKDTree(hair.shape).query(hair.vertices, k=12)
    weights = 1 / (distance + 0.3)
    weights /= weights.sum(1, keepdims=True)
    moved = ((shape - hair.shape)[nearest] * weights[..., None]).sum(1)
    return np.concatenate([shape, hair.vertices + moved]).astype(np.float32)
