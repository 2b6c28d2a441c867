# SPDX-License-Identifier: GPL-3.0-or-later
"""A target whose parts lie over each other in its UV map, with those on top that lie on the face.

Such as a copied head in one material, or skin with a thickness. Of faces that share texels the last one stays, so those
that lie on the face's skin and look the same way are put at the end.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import bmesh
import bpy
import numpy as np

from ..numeric import raster
from ..numeric.uv_charts import charts
from ..scene import head, mesh_arrays, shape_keys
from ..scene.temporary import changed
from ..scene.triangle_tree import TriangleTree
from ..system.required import required
from . import fast

# Texels per side of the grid on which faces over each other are found, and a share of the covered ones that is none.
_GRID, _LEAST = 256, 0.01


@contextmanager
def skin_last(
    context: bpy.types.Context, source: bpy.types.Object, target: bpy.types.Object, modifiers: bool
) -> Iterator[bpy.types.Object]:
    """The object to bake onto, for the time of a `with`: `target`, or a temporary copy with its faces in that order.

    source     the face that is baked
    modifiers  whether the target is baked with its modifiers; a copy has them applied
    """
    if target == source or head.is_head(target):
        yield target
        return
    mesh = _evaluated(context, target) if modifiers and len(target.modifiers) else _shown(target)
    copy = None
    try:
        last = _last(source, target, mesh)
        if last.any() and not last.all():
            _sort(mesh, last)
            copy = target.copy()
            copy.modifiers.clear()
            copy.data = mesh
            required(context.scene).collection.objects.link(copy)
            required(context.view_layer).update()
        yield copy or target
    finally:
        bpy.data.batch_remove([item for item in (copy, mesh) if item is not None])


def _shown(target: bpy.types.Object) -> bpy.types.Mesh:
    """A copy of the mesh as the shape keys move it now."""
    with shape_keys.shown_mesh(target) as mesh:
        copy = mesh.copy()
    return copy


def _evaluated(context: bpy.types.Context, target: bpy.types.Object) -> bpy.types.Mesh:
    """A copy of the mesh with the modifiers that a render has."""
    with changed([(modifier, "show_viewport", modifier.show_render) for modifier in target.modifiers]):
        graph = context.evaluated_depsgraph_get()
        graph.update()
        return bpy.data.meshes.new_from_object(
            target.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph
        )


def _sort(mesh: bpy.types.Mesh, last: np.ndarray) -> None:
    """Put the faces for which `last` (P,) bool is true at the end."""
    work = bmesh.new()
    try:
        work.from_mesh(mesh)
        rank = np.argsort(np.argsort(last, kind="stable"))
        for face, number in zip(work.faces, rank.tolist(), strict=True):
            face.index = number
        work.faces.sort()
        work.to_mesh(mesh)
    finally:
        work.free()


def _last(source: bpy.types.Object, target: bpy.types.Object, mesh: bpy.types.Mesh) -> np.ndarray:
    """(P,) bool: the faces of the target's mesh that belong on top; none where all lie beside one another."""
    count = len(mesh.polygons)
    name = fast.uv_name(target)
    if not count or name not in mesh.uv_layers:
        return np.zeros(count, bool)
    matrix = np.array(source.matrix_world.inverted_safe() @ target.matrix_world)
    owner, loops = mesh_arrays.triangle_polygons(mesh), mesh_arrays.triangle_loops(mesh)
    uvs = mesh_arrays.loop_uvs(mesh, name)[loops]
    first, second = raster.owners(uvs, _GRID), raster.owners(uvs[::-1], _GRID)
    covered = first >= 0
    # Texels on a common edge belong to both of its triangles.
    over = owner[first[covered]] != owner[len(uvs) - 1 - second[covered]]
    if over.mean() < _LEAST:
        return np.zeros(count, bool)
    points, triangles = mesh_arrays.points(mesh).astype(np.float64), mesh_arrays.triangle_vertices(mesh)
    normals = mesh_arrays.world_surface(mesh, matrix).normals.sum(1)
    centers = points[triangles].mean(1) @ matrix[:3, :3].T + matrix[:3, 3]
    finite = np.isfinite(centers).all(1)
    centers[~finite] = 0
    result = np.zeros(count, bool)
    result[owner] = finite & _on_skin(source, triangles, centers, normals)
    return result


def _on_skin(source: bpy.types.Object, triangles: np.ndarray, centers: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(N,) bool: triangles that look as the face's skin does, and lie nearer to it than to a head's other parts.

    triangles (N, 3), centers (N, 3) and normals (N, 3) in the face's object space. Films as of tears lie on the skin,
    so loose parts count as a whole; the mouth's inside hangs together with the skin.
    """
    with shape_keys.shown_mesh(source) as mesh:
        points = mesh_arrays.points(mesh).astype(np.float64)
        slots, own = mesh_arrays.triangle_slots(mesh), mesh_arrays.triangle_vertices(mesh)
    skin = slots == head.SKIN if head.is_head(source) else np.ones(len(own), bool)
    hits = TriangleTree(points, own[skin]).nearest(centers)
    alike = np.einsum("kx,kx->k", hits.normal, normals) > 0
    if skin.all():
        return np.asarray(alike)
    nearer = hits.distance <= TriangleTree(points, own[~skin]).nearest(centers).distance
    part = np.unique(charts(triangles), return_inverse=True)[1]
    return np.asarray(alike & nearer & (2 * np.bincount(part, nearer) > np.bincount(part))[part])
