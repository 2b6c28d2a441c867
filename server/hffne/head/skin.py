# SPDX-License-Identifier: GPL-3.0-or-later
"""The skin of the head model on its UV square: charts, the texels of each triangle, neighbors of vertices."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from hffne.geometry.grids import sample
from hffne.geometry.rasterize import covered_pixels
from hffne.geometry.uv import coordinates
from hffne.head.model import PARTS, SKIN, head_model

# Larger textures are resampled from a raster of this side: points are smooth within a chart.
MAX_RASTER = 1024
# Each chart goes on for so many texels beyond its border, so that resampling has something to reach for.
EXTENSION = 4
# Limits of an extrapolated texel's weights, for slivers.
_WEIGHT_LIMITS = -2.0, 3.0
# UVs closer than this are the same.
_UV_STEP = 1 / 65535


@dataclass(frozen=True)
class Skin:
    """The skin's vertices and their copies in the charts ("points": a vertex has one in each chart that it lies in).

    vertices   (n,) int32 of the model's; inverse: (V,) int32, index in `vertices` or -1
    of_point   (p,) int32, index in `vertices` of each point; uv (p, 2) float32 of the points
    triangles  (t, 3) int32 of points
    chart      (p,) int32, the point's chart: 0 is the face's
    mirror     (n,) int32, index in `vertices` of the mirror image
    around     (n, 2) float32: the vertices' coordinates on the position map, -1..1 on its square
    """

    vertices: np.ndarray
    inverse: np.ndarray
    of_point: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray
    chart: np.ndarray
    mirror: np.ndarray
    around: np.ndarray


@cache
def skin() -> Skin:
    """The Skin of the shipped model."""
    model = head_model()
    mesh = model.mesh
    own = mesh.triangle_parts == PARTS.index(SKIN)
    corner, vertex = mesh.triangle_corners[own], mesh.triangles[own]
    uv = mesh.uvs.reshape(-1, 2)[corner]
    grid = np.rint(uv / _UV_STEP).astype(np.int64)
    key = (vertex.astype(np.int64) << 34) + (grid[..., 0] << 17) + grid[..., 1]
    _, first, points = np.unique(key, return_index=True, return_inverse=True)
    triangles = points.reshape(-1, 3).astype(np.int32)
    vertices, of_point = np.unique(vertex.reshape(-1)[first], return_inverse=True)
    inverse = np.full(len(model.neutral), -1, np.int32)
    inverse[vertices] = np.arange(len(vertices))
    return Skin(
        vertices=vertices.astype(np.int32),
        inverse=inverse,
        of_point=of_point.reshape(-1).astype(np.int32),
        uv=uv.reshape(-1, 2)[first].astype(np.float32),
        triangles=triangles,
        chart=_charts(triangles, len(first)),
        mirror=inverse[model.mirror[vertices]],
        around=coordinates(model.neutral[vertices]).astype(np.float32),
    )


@cache
def vertex_uvs() -> np.ndarray:
    """(n, 2) float32: the UV of each of the skin's vertices, in the largest of its charts."""
    layout = skin()
    result = np.empty((len(layout.vertices), 2), np.float32)
    order = np.argsort(-layout.chart, kind="stable")
    result[layout.of_point[order]] = layout.uv[order]
    return result


def _charts(triangles: np.ndarray, count: int) -> np.ndarray:
    """The connected part (count,) int32 of each point, by size."""
    label = np.arange(count)
    while True:
        low = label[triangles].min(1)
        lower = label.copy()
        np.minimum.at(lower, triangles.ravel(), np.repeat(low, 3))
        # Labels are points: follow them, so that few rounds suffice.
        lower = lower[lower]
        if (lower == label).all():
            break
        label = lower
    _, index, sizes = np.unique(label, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), np.int32)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[index.reshape(-1)]


def at_vertices(texture: np.ndarray) -> np.ndarray:
    """Values (n, C) of a texture (S, S, C) at the skin's vertices."""
    place = (vertex_uvs() * [1, -1] + [0, 1])[:, ::-1] * len(texture) - 0.5
    return sample(texture, place)


@dataclass(frozen=True)
class Raster:
    """The texels of the skin, size x size, with those of the charts' extension.

    corners (3, size * size) int32 points, beyond the charts the number of points; weights (3, size * size) float32,
    sum 1; inside (size, size) bool: within a chart
    """

    size: int
    corners: np.ndarray
    weights: np.ndarray
    inside: np.ndarray

    def interpolated(self, values: np.ndarray, elsewhere: np.ndarray | float = 0.0) -> np.ndarray:
        """Values of the skin's points (p, C) at the texels: (size, size, C) float32; `elsewhere` beyond the charts."""
        import torch

        table = np.empty((len(values) + 1, values.shape[1]), np.float32)
        table[:-1], table[-1] = values, elsewhere
        corners, weights, points = (torch.from_numpy(array) for array in (self.corners, self.weights, table))
        # Half of numpy's time; embedding_bag takes less still, but rounds otherwise, and where a position is rounded to
        # a fraction of a pixel later, a texel would take its normal from beside it.
        result = points.index_select(0, corners[0]).mul_(weights[0, :, None])
        for k in (1, 2):
            result.add_(points.index_select(0, corners[k]).mul_(weights[k, :, None]))
        return result.numpy().reshape(self.size, self.size, -1)


@cache
def raster(size: int) -> Raster:
    """The Raster of the skin at `size` texels a side."""
    layout = skin()
    at = np.stack([layout.uv[:, 0] * size - 0.5, (1 - layout.uv[:, 1]) * size - 0.5], 1)
    texel, owner, weights = covered_pixels(at, layout.triangles, size)
    texel, first = np.unique(texel, return_index=True)
    owner, weights = owner[first], weights[first]
    inside = np.zeros(size * size, bool)
    inside[texel] = True
    beyond, source = _extension(inside.reshape(size, size))
    owner_of = np.zeros(size * size, np.int64)
    owner_of[texel] = owner
    more = owner_of[source]
    place = np.stack([beyond % size, beyond // size], 1).astype(np.float64)
    added = np.clip(_barycentric(at[layout.triangles[more]].astype(np.float64), place), *_WEIGHT_LIMITS)
    added += (1 - added.sum(1, keepdims=True)) / 3
    texel = np.concatenate([texel, beyond])
    every_corner = np.full((3, size * size), len(layout.of_point), np.int32)
    every_corner[:, texel] = layout.triangles[np.concatenate([owner, more])].T
    every_weight = np.zeros((3, size * size), np.float32)
    every_weight[0] = 1
    every_weight[:, texel] = np.concatenate([weights, added.astype(np.float32)]).T
    return Raster(size, every_corner, every_weight, inside.reshape(size, size))


def _extension(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The texels within EXTENSION of the charts (flat indices), and the nearest texel of a chart to each."""
    distance, label = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    source = np.zeros(label.max() + 1, np.int64)
    source[label[inside]] = np.flatnonzero(inside)
    beyond = np.flatnonzero(~inside & (distance <= EXTENSION))
    return beyond, source[label.ravel()[beyond]]


def _barycentric(corners: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Weights (N, 3) of points (N, 2), in or beside triangles (N, 3, 2)."""
    a, b, c = np.moveaxis(corners - at[:, None], 1, 0)
    parts = [p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0] for p, q in ((b, c), (c, a), (a, b))]
    total = np.sum(parts, axis=0)
    return np.stack(parts, 1) / np.where(np.abs(total) < 1e-9, 1e-9, total)[:, None]
