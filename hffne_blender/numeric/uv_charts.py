# SPDX-License-Identifier: GPL-3.0-or-later
"""The charts of a UV layout: vertices split at its seams, and the triangles that hang together."""

import numpy as np


def split_at_seams(vertices: np.ndarray, uvs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split vertices that have several UVs, so that each of the result has one.

    vertices  (N, 3) int of triangles
    uvs       (N, 3, 2) of their corners

    Returns (triangles (N, 3) of the split vertices, the vertex (W,) that each of those comes from).
    """
    rows = np.empty(vertices.size, [("vertex", "i8"), ("u", "f8"), ("v", "f8")])
    rows["vertex"], rows["u"], rows["v"] = vertices.ravel(), uvs[..., 0].ravel(), uvs[..., 1].ravel()
    known, triangles = np.unique(rows, return_inverse=True)
    return triangles.reshape(-1, 3), known["vertex"]


def charts(triangles: np.ndarray) -> np.ndarray:
    """The chart (N,) of each triangle (N, 3), or edge (N, 2): a number that all have that hang together by vertices."""
    labels = np.arange(triangles.max() + 1)
    while True:
        least = labels[triangles].min(1)
        changed = labels.copy()
        np.minimum.at(changed, triangles, least[:, None])
        # A label is itself a vertex of the chart, whose label may be lower.
        changed = changed[changed]
        if np.array_equal(changed, labels):
            return labels[triangles[:, 0]]
        labels = changed


def largest_chart(triangles: np.ndarray, uvs: np.ndarray) -> np.ndarray:
    """(N,) bool: the triangles (N, 3) of the chart with the largest area in the UVs (N, 3, 2) of their corners."""
    first, second = uvs[:, 1] - uvs[:, 0], uvs[:, 2] - uvs[:, 0]
    area = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    names, number = np.unique(charts(triangles), return_inverse=True)
    total: np.ndarray = np.bincount(number, area, len(names))
    return number == total.argmax()


def border_vertices(triangles: np.ndarray) -> np.ndarray:
    """The vertices on edges of a single triangle (N, 3), sorted."""
    return np.unique(_border_edges(triangles))


def outer_border(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Those of the border vertices of triangles (N, 3) that lie on its widest loop, sorted: no hole's, such as a
    mouth's. points (V, 3): the vertices."""
    edges = _border_edges(triangles)
    if not len(edges):
        return np.zeros(0, np.int64)
    names, loop = np.unique(charts(edges), return_inverse=True)
    sizes = [
        np.linalg.norm(np.ptp(points[edges[loop == number]].reshape(-1, 3), axis=0)) for number in range(len(names))
    ]
    return np.unique(edges[loop == int(np.argmax(sizes))])


def _border_edges(triangles: np.ndarray) -> np.ndarray:
    """The edges (E, 2) of a single triangle (N, 3)."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges, count = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    return np.asarray(edges[count == 1])
