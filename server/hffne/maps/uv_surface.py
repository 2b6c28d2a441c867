# SPDX-License-Identifier: GPL-3.0-or-later
"""The base shape on the UV grid: its frame at every texel, and the slope of a normal against it."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.grids import blur, fill_gaps, resample, surface_normals
from hffne.geometry.uv import face_texels
from hffne.geometry.vectors import normalize


@dataclass(frozen=True)
class UVSurface:
    """The base shape on a grid of S x S texels, all float32, object axes, row 0 at v = 1.

    points (S, S, 3) meters; normal (S, S, 3) unit, outward; right, down (S, S, 3): meters that the point
    moves from one texel to the next along a row and along a column; mask (S, S) 0..1: 1 on the face.

    joined_columns (S, S - 1), joined_rows (S - 1, S) float32: 1 where two neighbors in a row, or in a column, are
    neighbors on the surface too, 0 across the seams of a layout of several charts. None: the layout is one chart.
    """

    points: np.ndarray
    normal: np.ndarray
    right: np.ndarray
    down: np.ndarray
    mask: np.ndarray
    joined_columns: np.ndarray | None = None
    joined_rows: np.ndarray | None = None

    @property
    def size(self) -> int:
        """The grid's side in texels, S."""
        return len(self.mask)

    @cached_property
    def texel(self) -> float:
        """The typical side of a texel of the face in meters."""
        face = self.mask > 0.5
        (a, b, c), (x, y, z) = self.right[face].T, self.down[face].T
        areas = np.sqrt((b * z - c * y) ** 2 + (c * x - a * z) ** 2 + (a * y - b * x) ** 2)
        return float(np.sqrt(np.median(areas)))

    def gradients(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The change of values (S, S, C) from texel to texel along rows and along columns, never across a seam."""
        return _gradient(values, self.joined_columns, 1), _gradient(values, self.joined_rows, 0)

    def inner(self) -> np.ndarray:
        """(S, S) bool: the texels of the face without those at a seam within it."""
        inner = self.mask > 0.5
        if self.joined_columns is None or self.joined_rows is None:
            return inner
        across, along = self.joined_columns > 0.5, self.joined_rows > 0.5
        inner[:, 1:] &= across
        inner[:, :-1] &= across
        inner[1:] &= along
        inner[:-1] &= along
        return inner

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


def _gradient(values: np.ndarray, joined: np.ndarray | None, axis: int) -> np.ndarray:
    """Central differences of values (S, S, C) along an axis; one-sided at an end or a seam."""
    if joined is None:
        return np.gradient(values, axis=axis)
    steps = np.diff(values, axis=axis) * joined[..., None]
    total, count = np.zeros_like(values), np.zeros(values.shape[:2] + (1,), np.float32)
    for part in (slice(1, None), slice(None, -1)):
        where = (slice(None), part) if axis == 1 else (part, slice(None))
        total[where] += steps
        count[where] += joined[..., None]
    return total / np.maximum(count, 1)


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


def by_region(regions: dict[str, np.ndarray], values: dict[str, float], elsewhere: float, soft: float) -> np.ndarray:
    """A value (U, U) float32 for each region, name -> (U, U) bool, borders of sigma `soft`, a share of the side."""
    side = len(next(iter(regions.values())))
    result: np.ndarray = np.full((side, side), elsewhere, np.float32)
    for name, value in values.items():
        if name in regions:
            result[regions[name]] = value
    return blur(result, soft * side)


def resize_texture(picture: np.ndarray, size: int) -> np.ndarray:
    """A texture (S, S[, C]) float32 at another size: averaged when smaller, cubic when larger."""
    if len(picture) == size:
        return picture
    method = cv2.INTER_AREA if size < len(picture) else cv2.INTER_CUBIC
    return cv2.resize(picture, (size, size), interpolation=method)
