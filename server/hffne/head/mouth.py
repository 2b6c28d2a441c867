# SPDX-License-Identifier: GPL-3.0-or-later
"""The soft surface around the mouth: skin and mouth bag as one graph, and which of it belongs to which lip."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from hffne.head.graph import Level, surface_graph
from hffne.head.model import PARTS, SKIN, head_model

# Meters around the middle of the lips.
_RADIUS = 0.062
_SOFT = SKIN, "Mouth"
# Landmarks of each lip, without the corners of the mouth.
_UPPER, _LOWER = (50, 51, 52, 61, 62, 63), (56, 57, 58, 65, 66, 67)


@dataclass(frozen=True)
class Mouth:
    """vertices (n,) of the model, sorted; graph: their Level; lower (n,) bool: of the lower lip and what is below it;
    place (V,) int32: index in `vertices` or -1; to_lips, to_other (n,) float32: meters along the surface from the inner
    lips, and from the other lip's side."""

    vertices: np.ndarray
    graph: Level
    lower: np.ndarray
    place: np.ndarray
    to_lips: np.ndarray
    to_other: np.ndarray


@cache
def mouth() -> Mouth:
    """The Mouth of the shipped model."""
    model = head_model()
    mesh, points = model.mesh, model.neutral
    middle = model.at_landmarks(points)[[62, 66]].mean(0)
    soft = np.isin(mesh.quad_parts, [PARTS.index(name) for name in _SOFT])
    near = np.linalg.norm(points - middle, axis=1) < _RADIUS
    quads = mesh.quads[soft]
    quads = quads[(near[quads] | (quads < 0)).all(1)]
    vertices = np.unique(quads[quads >= 0])
    place = np.full(len(points), -1, np.int32)
    place[vertices] = np.arange(len(vertices))
    graph = surface_graph(np.where(quads < 0, -1, place[quads]), points[vertices])
    corners, weights = model.landmark_points

    def seeds(marks: tuple[int, ...]) -> np.ndarray:
        nearest = place[corners[list(marks), weights[list(marks)].argmax(1)]]
        return nearest[nearest >= 0]

    # By the way over the surface: the jaw takes the upper lip along too, at its sides.
    lower = graph.distances(seeds(_LOWER)) < graph.distances(seeds(_UPPER))
    border = np.flatnonzero((lower[graph.neighbors] != lower[:, None]).any(1))
    to_lips = graph.distances(seeds(tuple(range(60, 68))))
    return Mouth(vertices, graph, lower, place, to_lips, graph.distances(border))
