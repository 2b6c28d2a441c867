# SPDX-License-Identifier: GPL-3.0-or-later
"""The base shape on the UV grid: its frame at every texel, and the slope of a normal against it."""

from dataclasses import dataclass

import cv2
import numpy as np

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.grids import fill_gaps, resample, surface_normals
from hffne.geometry.uv import face_texels
from hffne.geometry.vectors import normalize


@dataclass(frozen=True)
class UVSurface:
    """The base shape on a grid of S x S texels, all float32, object axes, row 0 at v = 1.

    points (S, S, 3) meters; normal (S, S, 3) unit, outward; right, down (S, S, 3): meters that the point
    moves from one texel to the next along a row and along a column; mask (S, S) 0..1: 1 on the face.
    """

    points: np.ndarray
    normal: np.ndarray
    right: np.ndarray
    down: np.ndarray
    mask: np.ndarray

    @property
    def size(self) -> int:
        """The grid's side in texels, S."""
        return len(self.mask)

    def texel(self) -> float:
        """The typical side of a texel of the face in meters."""
        face = self.mask > 0.5
        return float(np.sqrt(np.median(np.linalg.norm(np.cross(self.right[face], self.down[face]), axis=1))))

    def slope(self, normal: np.ndarray) -> np.ndarray:
        """Slopes (S, S, 3) float32 of unit normals (S, S, 3): tangential vectors t with normal ~ N + t.

        To first order t is minus the surface gradient of the relief's height, so it adds up over bands.
        """
        along = np.einsum("...i,...i->...", normal, self.normal)[..., None]
        return ((normal - along * self.normal) / np.maximum(along, 0.2)).astype(np.float32)

    def normal_of(self, slope: np.ndarray) -> np.ndarray:
        """Unit normals (S, S, 3) float32 of slopes (S, S, 3): the inverse of `slope`."""
        along = np.einsum("...i,...i->...", slope, self.normal)[..., None]
        return normalize(self.normal + slope - along * self.normal).astype(np.float32)


def uv_surface(shape: BaseShape, size: int) -> UVSurface:
    """The UVSurface of a base shape at size x size texels."""
    mask = cv2.resize(face_texels().astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    step = np.float32(len(shape.points) / size)
    normal = surface_normals(shape.points, size)
    normal = normalize(fill_gaps(normal, (mask > 0.5).astype(np.float32)))
    return UVSurface(
        points=resample(shape.points, size).astype(np.float32),
        normal=normal.astype(np.float32),
        right=(resample(shape.points, size, derivative="column") * step).astype(np.float32),
        down=(resample(shape.points, size, derivative="row") * step).astype(np.float32),
        mask=mask,
    )


def resize_texture(picture: np.ndarray, size: int) -> np.ndarray:
    """A texture (S, S[, C]) float32 at another size: averaged when smaller, cubic when larger."""
    if len(picture) == size:
        return picture
    method = cv2.INTER_AREA if size < len(picture) else cv2.INTER_CUBIC
    return cv2.resize(picture, (size, size), interpolation=method)
