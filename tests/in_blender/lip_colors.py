# SPDX-License-Identifier: GPL-3.0-or-later
"""Colors between the lips of a mesh to which a face is applied, on surfaces of a few polygons."""

import numpy as np

from hffne_blender.character import transfer
from hffne_blender.numeric import detail_source, texel_transfer
from hffne_blender.numeric.world_surface import WorldSurface


def on_a_lip_of_an_open_mouth():
    """[texture's row, color's and relief's weight] of a lower lip that lies 1.5 mm below the upper lip's inner side,
    6 mm above the lower one. The rows of these are 1 and 0."""
    sheet = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]) * 0.02
    quad, above, below = np.array([(0, 1, 2), (0, 2, 3)]), np.array([0, 0, 0.0015]), np.array([0, 0, -0.006])
    triangles = np.concatenate([quad[:, ::-1], quad + 4]).astype(np.int32)
    facing = np.repeat([[0.0, 0, -1], [0, 0, 1]], 2, axis=0)[:, None].repeat(3, axis=1)
    points, ones, none = np.concatenate([sheet + above, sheet + below]), np.ones(8), np.zeros(8)
    uv = np.stack([points[:, 0] * 20 + 0.5, np.repeat([1.0, 0], 4)], axis=1)
    source = detail_source.DetailSource(
        WorldSurface(points, triangles, facing), uv, np.tile([1.0, 0, 0], (8, 1)), ones, ones, ones, none,
        np.zeros((4, 4, 3), np.float32), None, 1.0,
    )  # fmt: skip
    lip = WorldSurface(sheet, quad.astype(np.int32), facing[2:], (sheet[:, :2] * 20 + 0.5)[quad])
    texels = transfer.texel_sources(source, points, lip, np.zeros(2, int), 32)
    middle = np.abs(texels.index - 32 * 16 - 16).argmin()
    return [texels.uv[middle, 1], texels.shown[middle], texels.weight[middle]]


def across_a_gap(size=128):
    """Colors (4,) in the middle of a gap between red and green, where the face's UVs jump to what is blue."""
    column = np.tile(np.arange(size), size)
    broken = abs(column - size // 2) < 3
    uv = np.stack([np.where(broken, 0.5, np.where(column < size // 2, 0.25, 0.75)), np.full(size**2, 0.5)], axis=1)
    ones, none = np.ones(size**2), np.zeros((size**2, 3))
    texels = texel_transfer.TexelSources(
        size, np.arange(size**2), np.ones((size, size), bool), uv, ~broken * 1.0, ones, broken, none, ones, none,
        np.zeros(size**2, int), none,
    )  # fmt: skip
    colors = np.repeat(np.eye(3)[[0, 2, 1]], (48, 32, 48), axis=0)[None].repeat(size, axis=0)
    return texel_transfer.picture(texels, colors)[size // 2, size // 2].tolist()
