# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces that are wound against their neighbors, so that a part of a mesh is inside out."""

import numpy as np

from .uv_charts import charts


def against_neighbors(triangles: np.ndarray) -> np.ndarray | None:
    """The patch (N,) of each triangle (N, 3), within which all are wound alike; None where no two neighbors differ.

    Neighbors share an edge that no third triangle has. A patch without a neighbor that is wound against it has -1.
    """
    ends = np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2).reshape(-1, 2).astype(np.int64)
    owner = np.repeat(np.arange(len(triangles)), 3)
    low, high = ends.min(1), ends.max(1)
    key = low * (int(high.max(initial=0)) + 1) + high
    order = np.argsort(key, kind="stable")
    key, owner, forward = key[order], owner[order], (ends[:, 0] == low)[order]
    start = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, np.int64)
    start = start[np.diff(np.r_[start, len(key)]) == 2]
    pairs, differ = np.stack([owner[start], owner[start + 1]], axis=1), forward[start] == forward[start + 1]
    if not differ.any():
        return None
    alone = np.repeat(np.arange(len(triangles)), 2).reshape(-1, 2)
    patch = charts(np.concatenate([pairs[~differ], alone]))[-len(triangles) :]
    return np.where(np.isin(patch, patch[pairs[differ]]), patch, -1)


def turned_share(patch: np.ndarray, cosines: np.ndarray, areas: np.ndarray) -> float:
    """The share, 0..1, of a surface's area that patches have which look against it.

    patch    (N,) of each triangle, see `against_neighbors`
    cosines  (N,) between the triangle's normal and the surface's; NaN where it is not on the surface
    areas    (N,) of the triangles
    """
    known = np.isfinite(cosines) & np.isfinite(areas)
    names, number = np.unique(patch[known], return_inverse=True)
    turned = (np.bincount(number, areas[known] * np.sign(cosines[known]), len(names)) < 0) & (names >= 0)
    return float(areas[known][turned[number]].sum() / max(areas[known].sum(), 1e-30))
