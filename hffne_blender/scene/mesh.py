# SPDX-License-Identifier: GPL-3.0-or-later
"""The base mesh: quads, UVs, smooth shading, and vertex groups for the regions."""

from collections.abc import Iterable

import bpy
import numpy as np

from .access import write_array

UV_NAME = "UVMap"
# Blender sets weights in groups of one value: they are rounded to this many steps between 0 and 1.
WEIGHT_STEPS = 64


def build_mesh(
    name: str, vertices: np.ndarray, quads: np.ndarray, uvs: np.ndarray, slots: np.ndarray | None = None
) -> bpy.types.Mesh:
    """A new Mesh.

    vertices  (V, 3) meters
    quads     (Q, 4) int; a last corner of -1 makes a triangle
    uvs       (Q, 4, 2) of the corners, 0..1
    slots     (Q,) int, the material slot of each quad; None: the first one
    """
    mesh = bpy.data.meshes.new(name)
    corners = quads >= 0
    counts = corners.sum(1)
    mesh.vertices.add(len(vertices))
    write_array(mesh.vertices, "co", vertices)
    mesh.loops.add(int(counts.sum()))
    write_array(mesh.loops, "vertex_index", quads[corners], np.int32)
    mesh.polygons.add(len(quads))
    write_array(mesh.polygons, "loop_start", np.cumsum(counts) - counts, np.int32)
    layer = mesh.uv_layers.new(name=UV_NAME)
    write_array(layer.uv, "vector", uvs[corners])
    if slots is not None:
        write_array(mesh.polygons, "material_index", slots, np.int32)
    mesh.update(calc_edges=True)
    # Repairs what an engine must not send but might: a repeated quad, a quad without area.
    mesh.validate()
    mesh.shade_smooth()
    return mesh


def add_regions(obj: bpy.types.Object, names: Iterable[str], weights: np.ndarray) -> None:
    """One vertex group per region; weights (R, V) in 0..1, vertices of weight 0 stay out."""
    for name, row in zip(names, weights, strict=True):
        group = obj.vertex_groups.new(name=name)
        steps = np.rint(np.clip(row, 0, 1) * WEIGHT_STEPS).astype(int)
        for step in np.unique(steps[steps > 0]):
            group.add(np.flatnonzero(steps == step).tolist(), step / WEIGHT_STEPS, "REPLACE")
