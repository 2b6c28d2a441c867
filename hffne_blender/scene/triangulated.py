# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes with polygons of more than four corners, which MikkTSpace's tangents do not take, as triangles."""

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np

from .access import read_array, write_array


@contextmanager
def without_ngons(mesh: bpy.types.Mesh) -> Iterator[bpy.types.Mesh]:
    """The mesh itself where it has triangles and quads alone; else a temporary copy of triangles.

    The copy has the triangles into which Blender divides the mesh to draw it, with the mesh's own shading normals, its
    UV maps and material slots, and nothing else.
    """
    corners = read_array(mesh.polygons, "loop_total", 1, np.int32)
    if not len(corners) or corners.max() <= 4:
        yield mesh
        return
    mesh.calc_loop_triangles()
    loops = read_array(mesh.loop_triangles, "loops", 3, np.int32)
    vertices = read_array(mesh.loops, "vertex_index", 1, np.int32)[loops]
    normals = read_array(mesh.corner_normals, "vector", 3)[loops.ravel()]
    polygons = read_array(mesh.loop_triangles, "polygon_index", 1, np.int32)
    slots = read_array(mesh.polygons, "material_index", 1, np.int32)[polygons]
    copy = bpy.data.meshes.new("HFFNE triangles")
    try:
        copy.vertices.add(len(mesh.vertices))
        write_array(copy.vertices, "co", read_array(mesh.vertices, "co", 3))
        copy.loops.add(loops.size)
        write_array(copy.loops, "vertex_index", vertices, np.int32)
        copy.polygons.add(len(loops))
        write_array(copy.polygons, "loop_start", np.arange(len(loops)) * 3, np.int32)
        write_array(copy.polygons, "material_index", slots, np.int32)
        for layer in mesh.uv_layers:
            made = copy.uv_layers.new(name=layer.name, do_init=False)
            write_array(made.uv, "vector", read_array(layer.uv, "vector", 2)[loops.ravel()])
            made.active_render = layer.active_render
        copy.update(calc_edges=True)
        copy.shade_smooth()
        copy.normals_split_custom_set(normals.tolist())
        yield copy
    finally:
        bpy.data.meshes.remove(copy)
