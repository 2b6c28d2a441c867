# SPDX-License-Identifier: GPL-3.0-or-later
"""Ray casting with Embree: first hits and shadows of a triangle mesh."""

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh


class RayScene:
    """A committed Embree scene of one triangle mesh. Lengths are the mesh's own."""

    def __init__(self, vertices, triangles):
        self.scene = rtcore_scene.EmbreeScene()
        TriangleMesh(self.scene, np.ascontiguousarray(vertices[triangles], np.float32))

    def first_hit(self, origins, directions):
        """Triangle index (N,) (-1: none), barycentric weights (N, 3) and distance (N,) of the first hit."""
        hit = self.scene.run(
            np.ascontiguousarray(origins, np.float32), np.ascontiguousarray(directions, np.float32), output=True
        )
        u, v = hit["u"], hit["v"]
        return hit["primID"], np.stack([1 - u - v, u, v], 1), hit["tfar"]

    def seen_from_front(self, x, y, z):
        """Triangle index (N,) (-1: none) and barycentric weights (N, 3) of what a viewer far in front sees: rays along
        -z from height `z` at the places x, y (any shape of N numbers)."""
        origins = np.stack([x.ravel(), y.ravel(), np.full(x.size, z)], 1)
        return self.first_hit(origins, np.broadcast_to(np.float32([0, 0, -1]), origins.shape))[:2]

    def blocked(self, origins, direction):
        """Whether (N,) anything lies from each origin (N, 3) along the one direction (3,)."""
        directions = np.broadcast_to(np.asarray(direction, np.float32), origins.shape)
        hit = self.scene.run(
            np.ascontiguousarray(origins, np.float32), np.ascontiguousarray(directions), query="OCCLUDED"
        )
        return hit >= 0
