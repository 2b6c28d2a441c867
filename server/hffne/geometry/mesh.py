# SPDX-License-Identifier: GPL-3.0-or-later
"""The quad mesh of a base shape, with UVs and region weights."""

from dataclasses import dataclass

import numpy as np

from hffne.geometry.base_shape import BaseShape
from hffne.geometry.grids import blur, resample, sample
from hffne.geometry.uv import face_texels, template


@dataclass(frozen=True)
class FaceMesh:
    """The quad mesh of a face.

    vertices (V, 3) float32 meters, object axes; uvs float32: (V, 2) by vertex, or (Q, 4, 2) by corner; quads (Q, 4)
    int32, counter-clockwise from outside, -1 as the last vertex of a triangle; region_weights (R, V) float32 0..1;
    regions: their names.
    """

    vertices: np.ndarray
    uvs: np.ndarray
    quads: np.ndarray
    region_weights: np.ndarray
    regions: list[str]

    @property
    def corner_uvs(self) -> np.ndarray:
        """(Q, 4, 2) float32: the UVs by corner."""
        return self.uvs if self.uvs.ndim == 3 else self.uvs[self.quads]


def build_mesh(shape: BaseShape, grid: int = 128) -> FaceMesh:
    """The FaceMesh of a base shape, with a vertex at every face texel's center of a grid x grid layout."""
    uv = template()
    side = len(face_texels())
    at = (np.arange(grid) + 0.5) * side / grid
    nearest = np.minimum(at.astype(int), side - 1)
    valid = face_texels()[np.ix_(nearest, nearest)]
    cells = valid[1:, :-1] & valid[1:, 1:] & valid[:-1, 1:] & valid[:-1, :-1]
    r, c = np.nonzero(cells)
    # From outside: bottom left, bottom right, top right, top left.
    corners = np.stack([(r + 1) * grid + c, (r + 1) * grid + c + 1, r * grid + c + 1, r * grid + c], 1)
    used, quads = np.unique(corners, return_inverse=True)
    quads = quads.reshape(-1, 4).astype(np.int32)
    where = np.stack(np.divmod(used, grid), 1).astype(np.float64)
    where, moved = _rounded_rim(where, quads)
    vertices = resample(shape.points, grid).reshape(-1, 3)[used]
    in_map = (where + 0.5) * side / grid - 0.5
    vertices[moved] = sample(shape.points, in_map[moved])
    names = list(uv.regions)
    weights = [sample(blur(uv.regions[name].astype(np.float32), 1.0)[..., None], in_map)[:, 0] for name in names]
    return FaceMesh(
        vertices=vertices.astype(np.float32),
        uvs=np.stack([(where[:, 1] + 0.5) / grid, 1 - (where[:, 0] + 0.5) / grid], 1).astype(np.float32),
        quads=quads,
        region_weights=np.clip(np.array(weights, np.float32), 0, 1),
        regions=names,
    )


def _rounded_rim(
    where: np.ndarray, quads: np.ndarray, rounds: int = 12, strength: float = 0.8
) -> tuple[np.ndarray, np.ndarray]:
    """Smooth the stair steps of the mesh's outline: its vertices slide along the surface, the others stay.

    where (V, 2) grid positions, row and column -> new positions and a mask (V,) of the moved vertices.
    """
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    key = np.sort(edges, axis=1).astype(np.int64)
    _, index, count = np.unique(key[:, 0] * len(where) + key[:, 1], return_index=True, return_counts=True)
    rim = edges[index[count == 1]]
    follower, leader = np.full(len(where), -1), np.full(len(where), -1)
    follower[rim[:, 0]], leader[rim[:, 1]] = rim[:, 1], rim[:, 0]
    # Where two corners touch, a vertex has four rim edges; it stays where it is.
    simple = (np.bincount(rim.ravel(), minlength=len(where)) == 2) & (follower >= 0) & (leader >= 0)
    smooth = where.copy()
    for _ in range(rounds):
        between = (smooth[follower[simple]] + smooth[leader[simple]]) / 2
        smooth[simple] += (between - smooth[simple]) * 0.5
    return where + (smooth - where) * strength, simple
