# SPDX-License-Identifier: GPL-3.0-or-later
"""The posed head's skin on its UV square: points, normals and tangents at texels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hffne.geometry.base_shape import HEAD_TO_OBJECT
from hffne.geometry.vectors import normalize
from hffne.head.model import PARTS, SKIN, head_model
from hffne.head.skin import Raster, skin

# Parts whose faces give the skin's vertices their normals: the lips go on into the mouth.
_SMOOTH = SKIN, "Mouth"


def vertex_normals(vertices: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3) float32 of the skin's and the mouth's vertices, zero for others.

    As Blender's: the normals of the faces around, weighted by their corners' angles. vertices (V, 3).
    """
    mesh = head_model().mesh
    quads = mesh.quads[np.isin(mesh.quad_parts, [PARTS.index(name) for name in _SMOOTH])]
    # A triangle is a quad whose last corner is its first one.
    quads = np.where(quads < 0, quads[:, :1], quads)
    at = vertices[quads].astype(np.float64)
    face = normalize(np.cross(at[:, 2] - at[:, 0], at[:, 3] - at[:, 1]))
    triangle = quads[:, 3] == quads[:, 0]
    face[triangle] = normalize(np.cross(at[triangle, 1] - at[triangle, 0], at[triangle, 2] - at[triangle, 0]))
    total = np.zeros((len(vertices), 3))
    for k in range(4):
        forth, back = at[:, (k + 1) % 4] - at[:, k], at[:, k - 1] - at[:, k]
        if k in (0, 3):  # the repeated corner of a triangle has no edge to itself
            step = 2 if k == 0 else 1
            forth = np.where(triangle[:, None] & (k == 3), 0, forth)
            back = np.where(triangle[:, None] & (k == 0), at[:, -step] - at[:, k], back)
        cosine = np.einsum("ni,ni->n", normalize(forth), normalize(back))
        angle = np.where(triangle & (k == 3), 0, np.arccos(np.clip(cosine, -1, 1)))
        for axis in range(3):
            total[:, axis] += np.bincount(quads[:, k], face[:, axis] * angle, len(vertices))
    return normalize(total).astype(np.float32)


@dataclass(frozen=True)
class HeadSurface:
    """The skin of a head. posed (V, 3) float32: all vertices of the model, meters, object axes."""

    posed: np.ndarray

    @cached_property
    def points(self) -> np.ndarray:
        """(n, 3) float32: the skin's vertices."""
        return self.posed[skin().vertices].astype(np.float32)

    @cached_property
    def normals(self) -> np.ndarray:
        """(n, 3) float32: the skin's vertex normals, unit, outward."""
        return vertex_normals(self.posed)[skin().vertices]

    @cached_property
    def tangents(self) -> tuple[np.ndarray, np.ndarray]:
        """The change of the point along u and along v, (p, 3) float32 each, at the points of `skin`.

        Means over the triangles of a point's own chart, so that they never cross a seam.
        """
        layout = skin()
        corners, uv = self.points[layout.of_point][layout.triangles], layout.uv[layout.triangles]
        (a, b), (p, q) = (np.moveaxis(grid[:, 1:] - grid[:, :1], 1, 0) for grid in (corners, uv))
        area = p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
        area = np.where(np.abs(area) < 1e-12, 1e-12, area)[:, None]
        slopes = np.stack([a * q[:, 1:] - b * p[:, 1:], b * p[:, :1] - a * q[:, :1]], 1) / area[:, None]
        size = np.linalg.norm(np.cross(a, b), axis=1)
        count, flat = len(layout.of_point), layout.triangles.ravel()
        weight = np.repeat(size, 3)
        total = np.maximum(np.bincount(flat, weight, count), 1e-15)
        means = [
            np.stack(
                [np.bincount(flat, np.repeat(slopes[:, k, axis] * size, 3), count) / total for axis in range(3)], 1
            )
            for k in (0, 1)
        ]
        return means[0].astype(np.float32), means[1].astype(np.float32)

    def at_texels(self, values: np.ndarray, grid: Raster) -> np.ndarray:
        """Values (n, C) of the skin's vertices at the texels of a raster: (S, S, C), 0 beyond the charts."""
        return grid.interpolated(values[skin().of_point])


def neutral_points() -> np.ndarray:
    """(V, 3) float32: the model's mean head in meters, object axes."""
    return (head_model().neutral @ HEAD_TO_OBJECT.T).astype(np.float32)
