# SPDX-License-Identifier: GPL-3.0-or-later
"""A generated face as arrays: the source of the detail that is transferred to another mesh."""

from dataclasses import dataclass

import numpy as np

from .world_surface import WorldSurface


@dataclass(frozen=True)
class DetailSource:
    """A face in world space, V vertices.

    surface          the face's triangles
    uv               (V, 2) of the vertices: the face is one island, so each vertex has one
    tangent          (V, 3) unit, world space
    sign             (V,) of the bitangent
    border_distance  (V,) meters of the face's own size (object space) to its border
    confidence       (V,) 0..1: how well the photo shows the vertex
    eyes             (V,) 0..1: the weight of the eye region
    normal           (T, T, 3) float32, the tangent-space normal map, row 0 at v = 1
    landmarks        (68, 3) world space, iBUG order, or None
    meter            world units per meter of the face's own size
    brightness       (T, T, 1) float32, the logarithm of the color texture's brightness, or None without one
    """

    surface: WorldSurface
    uv: np.ndarray
    tangent: np.ndarray
    sign: np.ndarray
    border_distance: np.ndarray
    confidence: np.ndarray
    eyes: np.ndarray
    normal: np.ndarray
    landmarks: np.ndarray | None
    meter: float
    brightness: np.ndarray | None = None

    def uv_per_meter(self) -> float:
        """The median UV length per meter of the face's own size."""
        triangles = self.surface.triangles
        corners, uv = self.surface.points[triangles] / self.meter, self.uv[triangles]
        edge = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
        return float(np.median(np.linalg.norm(uv[:, 1] - uv[:, 0], axis=1) / np.maximum(edge, 1e-12)))
