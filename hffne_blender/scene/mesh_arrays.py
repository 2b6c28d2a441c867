# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh's data as arrays: points, UVs, normals, tangent frames, and its triangles in world space."""

import bpy
import numpy as np

from ..numeric import tangent
from ..numeric.vectors import mirrors, unit
from ..numeric.world_surface import WorldSurface
from .access import read_array


def points(mesh: bpy.types.Mesh) -> np.ndarray:
    """The vertices (V, 3) float32, object space."""
    return read_array(mesh.vertices, "co", 3)


def loop_vertices(mesh: bpy.types.Mesh) -> np.ndarray:
    """The vertex (L,) int32 of each loop."""
    return read_array(mesh.loops, "vertex_index", 1, np.int32)


def loop_uvs(mesh: bpy.types.Mesh, uv_name: str) -> np.ndarray:
    """The UVs (L, 2) float32 of the loops. Raises ValueError where there is no such UV map, or one without values."""
    layer = mesh.uv_layers.get(uv_name)
    if layer is None or len(layer.uv) != len(mesh.loops):
        raise ValueError(f"The mesh '{mesh.name}' has no UV map '{uv_name}'")
    return read_array(layer.uv, "vector", 2)


def triangle_loops(mesh: bpy.types.Mesh, slot: int | None = None) -> np.ndarray:
    """The loops (N, 3) int32 of the triangles into which Blender divides the mesh.

    slot  only the triangles of this material slot, such as a head's skin, whose textures the other parts do not have
    """
    mesh.calc_loop_triangles()
    loops = read_array(mesh.loop_triangles, "loops", 3, np.int32)
    return loops if slot is None else loops[triangle_slots(mesh) == slot]


def triangle_vertices(mesh: bpy.types.Mesh, slot: int | None = None) -> np.ndarray:
    """The vertices (N, 3) int32 of the same triangles."""
    return loop_vertices(mesh)[triangle_loops(mesh, slot)]


def triangle_slots(mesh: bpy.types.Mesh) -> np.ndarray:
    """The material slot (N,) int32 of each triangle of the mesh."""
    return read_array(mesh.polygons, "material_index", 1, np.int32)[triangle_polygons(mesh)]


def triangle_polygons(mesh: bpy.types.Mesh) -> np.ndarray:
    """The polygon (N,) int32 of each triangle of the mesh."""
    mesh.calc_loop_triangles()
    return read_array(mesh.loop_triangles, "polygon_index", 1, np.int32)


def is_flat(mesh: bpy.types.Mesh) -> bool:
    """Whether most of a mesh's faces are shaded flat, so that each facet shows."""
    smooth = read_array(mesh.polygons, "use_smooth", 1, np.bool_)
    return len(smooth) > 0 and float(smooth.mean()) < 0.5


def render_uv_name(mesh: bpy.types.Mesh) -> str | None:
    """The name of the UV map used for rendering, or None for a mesh without UV maps."""
    return next((layer.name for layer in mesh.uv_layers if layer.active_render), None)


def corner_frames(mesh: bpy.types.Mesh, uv_name: str, slot: int | None = None) -> tangent.CornerFrames:
    """The tangent frames (MikkTSpace) at the corners of the mesh's triangles. The mesh needs triangles or quads.

    slot  see `triangle_loops`
    """
    loops = triangle_loops(mesh, slot)
    tangents, sign = loop_tangents(mesh, uv_name)
    normal = read_array(mesh.corner_normals, "vector", 3)
    return tangent.CornerFrames(
        uv=loop_uvs(mesh, uv_name)[loops],
        tangent=tangents[loops],
        normal=normal[loops].astype(np.float64),
        sign=sign[loops],
    )


def loop_tangents(mesh: bpy.types.Mesh, uv_name: str) -> tuple[np.ndarray, np.ndarray]:
    """The MikkTSpace tangents (L, 3) and bitangent signs (L,) of the loops, float64, object space."""
    mesh.calc_tangents(uvmap=uv_name)
    try:
        tangents = read_array(mesh.loops, "tangent", 3)
        sign = read_array(mesh.loops, "bitangent_sign", 1)
    finally:
        mesh.free_tangents()
    return tangents.astype(np.float64), sign.astype(np.float64)


def world_surface(
    mesh: bpy.types.Mesh, matrix: np.ndarray, uv_name: str | None = None, slot: int | None = None
) -> WorldSurface:
    """The mesh's triangles under a 4 x 4 world matrix, with UVs where a UV map is named. slot: see `triangle_loops`."""
    matrix = np.array(matrix, np.float64)
    loops, triangles = triangle_loops(mesh, slot), triangle_vertices(mesh, slot)
    normals = read_array(mesh.corner_normals, "vector", 3).astype(np.float64)[loops]
    # Normals transform with the inverse transpose.
    normals = unit(normals @ np.linalg.inv(matrix[:3, :3]))
    uvs = loop_uvs(mesh, uv_name).astype(np.float64)[loops] if uv_name else None
    if mirrors(matrix):
        # Seen from outside, the triangles of a mirrored object have the opposite order.
        triangles, normals = triangles[:, ::-1], normals[:, ::-1]
        uvs = None if uvs is None else uvs[:, ::-1]
    world = points(mesh).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    return WorldSurface(world, np.ascontiguousarray(triangles), normals, uvs)
