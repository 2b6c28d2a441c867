# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds parts of a mesh that are inside out where a face lies on it."""

import numpy as np

from ..numeric import winding
from ..numeric.vectors import unit
from ..numeric.world_surface import WorldSurface
from .triangle_tree import TriangleTree

# A smaller share of the face than this is no matter: the inside of a nostril.
LEAST = 0.005


def turned_share(face: TriangleTree, mesh: WorldSurface, reach: float) -> float:
    """The share, 0..1, of the part of `mesh` on the face that is wound against the rest; 0 where that is below LEAST.

    reach: the distance within which a triangle counts as lying on the face.
    """
    patch = winding.against_neighbors(mesh.triangles)
    if patch is None:
        return 0.0
    corners, cosines = mesh.points[mesh.triangles], np.full(len(mesh.triangles), np.nan)
    known = np.isfinite(corners).all((1, 2))
    hits = face.nearest(corners[known].mean(1), reach)
    facing = np.einsum("kx,kx->k", hits.normal, unit(mesh.normals[known].sum(1)))
    cosines[known] = np.where(hits.found, facing, np.nan)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    share = winding.turned_share(patch, cosines, areas)
    return share if share > LEAST else 0.0
