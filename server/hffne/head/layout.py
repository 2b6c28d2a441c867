# SPDX-License-Identifier: GPL-3.0-or-later
"""The posed head's skin as a layout for maps (maps.layout.Layout)."""

from functools import cache

import numpy as np

from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.head.model import head_model
from hffne.head.skin import Raster, raster, skin
from hffne.head.surface import HeadSurface, neutral_points
from hffne.maps.height import Relief
from hffne.maps.occlusion import open_sky
from hffne.maps.uv_surface import UVSurface

REGION_SIZE = 256
# The raster whose texels are in the way of light, and the depth buffer's pixel and slack, meters.
_OCCLUDER_RASTER, _PIXEL, _SLACK = 256, 0.003, 0.0035
_SMOOTH_SIZE = 512
# Other parts that are in the way.
_OCCLUDERS = "Eye Left", "Eye Right", "Teeth", "Gums and Tongue"
# Two texels are neighbors on the surface when the way between them is that of the tangents, but for this share of its
# length, and this in meters.
_OFF_SHARE, _OFF = 0.7, 3e-4


class HeadLayout:
    """The Layout of a posed head. posed (V, 3) float32: all vertices of the model, meters, object axes."""

    # The face takes about half of the square's width.
    texels_per_pixel = 3.0
    # Displaced, the head is to be shaded as its normal map shades it, so more of the normals' low band is relief than
    # on the mask; lids and lips are so dense that the relief may come close to their edges.
    relief = Relief(reach=0.05, steep=1.2, rim=0.0025)

    def __init__(self, posed: np.ndarray) -> None:
        self._surface = HeadSurface(posed)

    @property
    def regions(self) -> dict[str, np.ndarray]:
        """Regions of the face by name, (REGION_SIZE, REGION_SIZE) bool."""
        return _regions()

    @property
    def mask(self) -> np.ndarray:
        """(REGION_SIZE, REGION_SIZE) float32: 1 on the skin."""
        return raster(REGION_SIZE).inside.astype(np.float32)

    def surface(self, size: int) -> UVSurface:
        """The skin on a grid of size x size texels."""
        layout, grid = skin(), raster(size)
        normal = normalize(grid.interpolated(self._surface.normals[layout.of_point], np.array([0, -1, 0])))
        right, down = _steps(self._surface, grid)
        columns, rows = _joined(size)
        return UVSurface(
            points=grid.interpolated(self._surface.points[layout.of_point]),
            normal=normal.astype(np.float32),
            right=right,
            down=down,
            mask=grid.inside.astype(np.float32),
            joined_columns=columns,
            joined_rows=rows,
        )

    def shape_occlusion(self) -> np.ndarray:
        """Ambient occlusion (s, s) by the head itself, computed at its vertices, which are dense where it is hollow."""
        layout, model, grid = skin(), head_model(), raster(_OCCLUDER_RASTER)
        points, normals = self._surface.points, self._surface.normals
        between = grid.interpolated(np.hstack([points, normals])[layout.of_point])[grid.inside]
        others = np.concatenate([model.part_vertices[name] for name in _OCCLUDERS])
        other_points = self._surface.posed[others]
        # Balls and teeth: outward is toward the viewer, well enough to be in the way of light from there.
        other_normals = np.broadcast_to(np.array([0, -1, 0], np.float32), other_points.shape)
        share = open_sky(
            points,
            normals,
            np.concatenate([points, between[:, :3], other_points]),
            np.concatenate([normals, between[:, 3:], other_normals]),
            _PIXEL,
            _SLACK,
        )
        return raster(_SMOOTH_SIZE).interpolated(share[layout.of_point, None], 1.0)[..., 0]


def _steps(surface: HeadSurface, grid: Raster) -> tuple[np.ndarray, np.ndarray]:
    """The way from texel to texel along rows and columns, (S, S, 3) float32 each; typical ones beyond the charts."""
    along_u, along_v = surface.tangents
    length = float(np.median(np.linalg.norm(along_u, axis=1)))
    right = grid.interpolated(along_u, np.array([length, 0, 0]))
    down = grid.interpolated(-along_v, np.array([0, 0, -length]))
    return right / np.float32(grid.size), down / np.float32(grid.size)


@cache
def _joined(size: int) -> tuple[np.ndarray, np.ndarray]:
    """UVSurface's joined_columns and joined_rows, from the neutral head."""
    surface, grid = HeadSurface(neutral_points()), raster(size)
    points = grid.interpolated(surface.points[skin().of_point])
    result = []
    for axis, step in zip((1, 0), _steps(surface, grid), strict=True):
        way, before, after = (
            (points[:, 1:] - points[:, :-1], step[:, :-1], step[:, 1:])
            if axis
            else (points[1:] - points[:-1], step[:-1], step[1:])
        )
        length = np.maximum(np.linalg.norm(before, axis=2), np.linalg.norm(after, axis=2))
        near = np.linalg.norm(way - (before + after) / 2, axis=2) < _OFF_SHARE * length + _OFF
        inside = grid.inside[:, :-1] & grid.inside[:, 1:] if axis else grid.inside[:-1] & grid.inside[1:]
        result.append((near & inside).astype(np.float32))
    return result[0], result[1]


@cache
def _regions() -> dict[str, np.ndarray]:
    """The template's regions at the position map's point of each texel."""
    layout, grid = skin(), raster(REGION_SIZE)
    at = grid.interpolated(layout.around[layout.of_point])
    front = grid.interpolated((layout.chart == 0).astype(np.float32)[:, None])[..., 0] > 0.5
    front &= grid.inside & (np.hypot(at[..., 0], at[..., 1]) < 1)
    side = len(template().mask)
    column = np.clip(((at[..., 0] + 1) / 2 * side).astype(int), 0, side - 1)
    row = np.clip(((1 - at[..., 1]) / 2 * side).astype(int), 0, side - 1)
    return {name: region[row, column] & front for name, region in template().regions.items()}
