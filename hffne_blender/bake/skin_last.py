# SPDX-License-Identifier: GPL-3.0-or-later
"""A target whose parts lie over each other in its UV map, such as a copied head in one material, with the skin on top.

Of faces that share texels the last one stays, so those that lie on the face's skin are put at the end.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import bmesh
import bpy
import numpy as np

from ..numeric.uv_charts import charts
from ..scene import head, mesh_arrays, shape_keys
from ..scene.access import mesh_of
from ..scene.triangle_tree import TriangleTree
from ..system.required import required


@contextmanager
def skin_last(
    context: bpy.types.Context, source: bpy.types.Object, target: bpy.types.Object
) -> Iterator[bpy.types.Object]:
    """The object to bake onto, for the time of a `with`: `target`, or a temporary copy with its faces in that order.

    source  the face that is baked; only one with eyes and teeth can have its skin covered by other parts
    """
    last = None if target == source or head.is_head(target) or not head.is_head(source) else _on_skin(source, target)
    if last is None or last.all() or not last.any():
        yield target
        return
    mesh = mesh_of(target).copy()
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
    copy = target.copy()
    try:
        copy.data = mesh
        required(context.scene).collection.objects.link(copy)
        required(context.view_layer).update()
        yield copy
    finally:
        bpy.data.batch_remove([copy, mesh])


def _on_skin(source: bpy.types.Object, target: bpy.types.Object) -> np.ndarray:
    """(P,) bool: the target's faces that lie nearer to the head's skin than to its other parts.

    Films as of tears lie on the skin, so loose parts count as a whole; the mouth's inside hangs together with the skin.
    """
    with shape_keys.shown_mesh(source) as mesh:
        points = mesh_arrays.points(mesh).astype(np.float64)
        slots, triangles = mesh_arrays.triangle_slots(mesh), mesh_arrays.triangle_vertices(mesh)
    trees = [TriangleTree(points, triangles[kept]) for kept in (slots == head.SKIN, slots != head.SKIN)]
    with shape_keys.shown_mesh(target) as mesh:
        triangles, owner = mesh_arrays.triangle_vertices(mesh), mesh_arrays.triangle_polygons(mesh)
        centers, count = mesh_arrays.points(mesh)[triangles].mean(1), len(mesh.polygons)
    matrix = np.array(source.matrix_world.inverted() @ target.matrix_world)
    centers = centers @ matrix[:3, :3].T + matrix[:3, 3]
    part = np.unique(charts(triangles), return_inverse=True)[1]
    to_skin, to_others = (tree.nearest(centers).distance for tree in trees)
    nearer = to_skin <= to_others
    result = np.zeros(count, bool)
    result[owner] = nearer & (2 * np.bincount(part, nearer) > np.bincount(part))[part]
    return result
