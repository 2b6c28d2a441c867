# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds polygons of more than four corners that a UV map does not take, because they cross its seams."""

import bpy
import numpy as np

from ..numeric import raster
from . import mesh_arrays
from .access import read_array

# A triangle whose UVs are longer than this many times the usual reaches from chart to chart.
STRETCH = 6.0
# Texels per side of the grid on which the harm is measured, and a share of the covered ones that is none.
_GRID, _LEAST = 256, 0.01


def over_seams(mesh: bpy.types.Mesh, uv_name: str) -> int:
    """How many polygons of more than four corners cross a seam, where they lie over a part of the UV map; else 0."""
    corners = read_array(mesh.polygons, "loop_total", 1, np.int32)
    if not len(corners) or corners.max() <= 4:
        return 0
    polygon = mesh_arrays.triangle_polygons(mesh)
    uvs = mesh_arrays.loop_uvs(mesh, uv_name)[mesh_arrays.triangle_loops(mesh)]
    points = mesh_arrays.points(mesh)[mesh_arrays.triangle_vertices(mesh)]
    in_uv, in_space = (np.linalg.norm(of - np.roll(of, 1, axis=1), axis=2).max(1) for of in (uvs, points))
    stretch = in_uv / np.maximum(in_space, 1e-12)
    many = corners[polygon] > 4
    usual = np.nanmedian(stretch[~many] if (~many).any() else stretch)
    over = many & (stretch > STRETCH * usual)
    if not over.any():
        return 0
    owners = [raster.owners(uvs, _GRID), len(uvs) - 1 - raster.owners(uvs[::-1], _GRID)]
    covered = owners[0] >= 0
    if np.any([over[owner[covered]] for owner in owners], axis=0).mean() < _LEAST:
        return 0
    return len(np.unique(polygon[over]))
