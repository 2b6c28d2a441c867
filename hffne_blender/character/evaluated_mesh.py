# SPDX-License-Identifier: GPL-3.0-or-later
"""The mesh of an object as its modifiers make it, without the relief that this extension has sculpted."""

from collections.abc import Iterator
from contextlib import contextmanager

import bmesh
import bpy

from ..scene import mesh_arrays
from . import multires
from .errors import TransferError


@contextmanager
def evaluated_mesh(context: bpy.types.Context, obj: bpy.types.Object) -> Iterator[bpy.types.Mesh]:
    """A temporary mesh of triangles and quads for the time of a `with`; this extension's Multires is left out."""
    own = obj.modifiers.get(multires.NAME)
    shown = own is not None and own.show_viewport
    if own is not None and shown:
        own.show_viewport = False
    try:
        graph = context.evaluated_depsgraph_get()
        graph.update()
        mesh = bpy.data.meshes.new_from_object(obj.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    finally:
        if own is not None and shown:
            own.show_viewport = True
    try:
        if any(len(polygon.vertices) > 4 for polygon in mesh.polygons):
            _split_large_polygons(mesh)
        yield mesh
    finally:
        bpy.data.meshes.remove(mesh)


def uv_map_name(mesh: bpy.types.Mesh, owner: str, wanted: str) -> str:
    """The UV map `wanted`, or the one used for rendering where that is "". Raises TransferError where there is none.

    owner  the object's name, for the message
    """
    if wanted and wanted not in mesh.uv_layers:
        raise TransferError("no_uv", f"'{owner}' has no UV map '{wanted}'.", "Choose one that it has.")
    name = wanted or mesh_arrays.render_uv_name(mesh)
    if not name:
        raise TransferError("no_uv", f"'{owner}' has no UV map.", "Unwrap the mesh first.")
    return name


def _split_large_polygons(mesh: bpy.types.Mesh) -> None:
    """Triangulate polygons of more than four corners: MikkTSpace takes triangles and quads only."""
    work = bmesh.new()
    try:
        work.from_mesh(mesh)
        bmesh.ops.triangulate(work, faces=[polygon for polygon in work.faces if len(polygon.verts) > 4])
        work.to_mesh(mesh)
    finally:
        work.free()
