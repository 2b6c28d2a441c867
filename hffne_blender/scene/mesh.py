# SPDX-License-Identifier: GPL-3.0-or-later
"""The base mesh: quads, UVs, smooth shading, and vertex groups for the regions."""

import bpy
import numpy as np

UV_NAME = "UVMap"
# Weights are set in groups of one value: this many steps between 0 and 1.
WEIGHT_STEPS = 64


def build_mesh(name, vertices, quads, uvs):
    """A new Mesh. vertices (V, 3) meters, quads (Q, 4) int, uvs (V, 2) in 0..1, one a vertex."""
    mesh = bpy.data.meshes.new(name)
    count = len(quads)
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
    mesh.loops.add(count * 4)
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(quads, np.int32).ravel())
    mesh.polygons.add(count)
    mesh.polygons.foreach_set("loop_start", np.arange(0, count * 4, 4, dtype=np.int32))
    layer = mesh.uv_layers.new(name=UV_NAME)
    layer.uv.foreach_set("vector", np.ascontiguousarray(uvs[quads.ravel()], np.float32).ravel())
    mesh.update(calc_edges=True)
    # Repairs what an engine must not send but might: a quad twice, a quad without area.
    mesh.validate()
    mesh.shade_smooth()
    return mesh


def add_regions(obj, names, weights):
    """One vertex group a region; weights (R, V) in 0..1, vertices of weight 0 stay out."""
    for name, row in zip(names, weights):
        group = obj.vertex_groups.new(name=name)
        steps = np.rint(np.clip(row, 0, 1) * WEIGHT_STEPS).astype(int)
        for step in np.unique(steps[steps > 0]):
            group.add(np.flatnonzero(steps == step).tolist(), step / WEIGHT_STEPS, "REPLACE")
