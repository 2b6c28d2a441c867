# SPDX-License-Identifier: GPL-3.0-or-later
"""What a photo's landmarks tell of a face beyond its fit, spread over the position map.

A fit follows the landmarks as far as its prior lets it, so that faces come out more alike than people are. On 82 people
of the London Set, whose points were placed by hand, the fits show 0.18, 0.61, 0.56 and 0.63 of a difference in eye
width, mouth width, face length and the mouth's height, with the residuals 0.37, 0.68, 0.66 and 0.73, MediaPipe's own
points 0.43, 0.79, 0.70 and 0.81 (slopes; NME of 12 points 1.95, 1.99 and 1.58 %). Where all faces deviate from their
fits alike, the landmark lies beside the model's point for it; only what is a photo's own is the face's shape.
"""

import numpy as np
from scipy.spatial import cKDTree

from hffne.geometry.base_shape import surface_texels
from hffne.geometry.grids import sample
from hffne.synthesis.fit import FittedPhotos
from hffne.synthesis.render import Renderer
from hffne.synthesis.uv_layout import CENTER

SPREAD = 3.0  # sigma of a landmark's influence in texels of 128
# A landmark alone moves its texel by 1 / (1 + DAMPING) of its residual; several neighbors together by more.
DAMPING = 0.5
FACING = 0.25  # landmarks count whose direction from the head's center is this much toward the camera
LEARNED = 400  # the most frontal photos, on which the landmarks' places in the map are found
COUNT = 468  # without the irises


class LandmarkResiduals:
    """The residuals of photos' fits.

    texels (P, 2)  row and column of each landmark in the position map
    mean (P, 2)    the residual that all photos share, in cm, of a head seen from the front
    """

    def __init__(self, renderer: Renderer, fits: FittedPhotos) -> None:
        self.fits = fits
        size, layout, model = len(renderer.layout.mask), renderer.layout, renderer.model
        self._neutral = layout.sample(model.neutral - CENTER).astype(np.float32)
        deltas = np.concatenate([model.identity_deltas, model.expression_deltas])
        self._deltas = np.stack([layout.sample(delta).astype(np.float32).ravel() for delta in deltas])
        frontal = np.argsort(np.abs(fits.rotation[:, 0, 2]) + np.abs(fits.rotation[:, 1, 2]))[:LEARNED]
        # The layout's holes project anywhere, and no landmark lies in one.
        sound = surface_texels()
        inside = np.argwhere(sound)
        sums = np.zeros((COUNT, 2))
        maps = [self._camera(i) for i in frontal]
        for i, camera in zip(frontal, maps, strict=True):
            seen = camera[tuple(inside.T)][:, :2]
            sums += inside[cKDTree(seen).query(self._marks(i))[1]]
        self.texels = (sums / len(frontal)).astype(np.float32)
        self._sound = sample(sound[..., None].astype(np.float32), self.texels)[:, 0] > 0.99
        self.mean = np.zeros((COUNT, 2), np.float32)
        self.mean = np.mean([self._residual(i, camera) for i, camera in zip(frontal, maps, strict=True)], axis=0)
        rows, columns = np.indices((size, size))
        gap = (rows.ravel()[:, None] - self.texels[:, 0]) ** 2 + (columns.ravel()[:, None] - self.texels[:, 1]) ** 2
        self._influence = np.exp(-gap / (2 * SPREAD**2)).astype(np.float32)
        middle = sample(self._neutral, self.texels)
        self._direction = middle / np.linalg.norm(middle, axis=1, keepdims=True)

    def displacement(self, index: int) -> np.ndarray:
        """How far each texel of a photo's position map lies beside its fit: (U, U, 3) cm, camera axes, depth 0."""
        rotation = self.fits.rotation[index]
        trust = (self._sound & (self._direction @ rotation[2] > FACING)).astype(np.float32)
        residual = self._residual(index, self._camera(index)) * trust[:, None]
        moved = (self._influence @ residual) / (self._influence @ trust + DAMPING)[:, None]
        size = len(self._neutral)
        return np.concatenate([moved, np.zeros((size * size, 1))], 1).reshape(size, size, 3).astype(np.float32)

    def _camera(self, index: int) -> np.ndarray:
        """A fit's position map (U, U, 3) in cm, camera axes, around the head's center."""
        coefficients = np.concatenate([self.fits.identity[index], self.fits.expression[index]]).astype(np.float32)
        head = self._neutral + (coefficients @ self._deltas).reshape(self._neutral.shape)
        return head @ self.fits.rotation[index].astype(np.float32).T

    def _marks(self, index: int) -> np.ndarray:
        """A photo's landmarks (P, 2) in cm around the head's center, y up."""
        fits = self.fits
        origin = fits.translation[index] + fits.scale[index] * (fits.rotation[index] @ CENTER)[:2] * [1, -1]
        return (fits.landmarks[index, :COUNT, :2] - origin) * [1, -1] / fits.scale[index]

    def _residual(self, index: int, camera: np.ndarray) -> np.ndarray:
        """A photo's own residual (P, 2) in cm, camera axes; that of all photos is turned with the head."""
        shared = self.mean @ self.fits.rotation[index][:2, :2].T
        return (self._marks(index) - sample(camera, self.texels)[:, :2] - shared).astype(np.float32)
