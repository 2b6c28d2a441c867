# SPDX-License-Identifier: GPL-3.0-or-later
"""Ray casting with Embree: first hits and shadows of a triangle mesh."""

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh


class RayScene:
    """A committed Embree scene of one triangle mesh. Lengths are the mesh's own."""

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray) -> None:
        self.scene = rtcore_scene.EmbreeScene()
        TriangleMesh(self.scene, np.ascontiguousarray(vertices[triangles], np.float32))

    def first_hit(self, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Triangle index (N,) (-1: none), barycentric weights (N, 3) and distance (N,) of the first hits.

        origins, directions: (N, 3).
        """
        hit = self.scene.run(
            np.ascontiguousarray(origins, np.float32), np.ascontiguousarray(directions, np.float32), output=True
        )
        u, v = hit["u"], hit["v"]
        return hit["primID"], np.stack([1 - u - v, u, v], 1), hit["tfar"]

    def seen_from_front(self, x: np.ndarray, y: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
        """Triangle index (N,) (-1: none) and barycentric weights (N, 3) as seen from far in front.

        The rays run along -z from height `z` at the positions x, y (arrays of any shape with N elements).
        """
        origins = np.stack([x.ravel(), y.ravel(), np.full(x.size, z)], 1)
        return self.first_hit(origins, np.broadcast_to(np.array([0, 0, -1], np.float32), origins.shape))[:2]

    def blocked(self, origins: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Whether (N,) anything lies from each origin (N, 3) along the one direction (3,)."""
        directions = np.broadcast_to(np.asarray(direction, np.float32), origins.shape)
        hit = self.scene.run(
            np.ascontiguousarray(origins, np.float32), np.ascontiguousarray(directions), query="OCCLUDED"
        )
        return hit >= 0
