# SPDX-License-Identifier: GPL-3.0-or-later
"""The mesh of an object as its modifiers make it, without the relief that this extension has sculpted."""

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from ..scene import mesh_arrays
from ..scene.access import mesh_of
from ..scene.temporary import changed
from ..scene.triangulated import without_ngons
from . import multires
from .errors import TransferError


@contextmanager
def evaluated_mesh(context: bpy.types.Context, obj: bpy.types.Object) -> Iterator[bpy.types.Mesh]:
    """A temporary mesh of triangles and quads for the time of a `with`.

    With the modifiers that a render has, also where they are hidden in the viewport; this extension's Multires is left
    out.
    """
    own = obj.modifiers.get(multires.NAME)
    shown = [(modifier, modifier.show_render and modifier != own) for modifier in obj.modifiers]
    different = [(modifier, "show_viewport", show) for modifier, show in shown if modifier.show_viewport != show]
    with changed(different):
        graph = context.evaluated_depsgraph_get()
        graph.update()
        mesh = bpy.data.meshes.new_from_object(obj.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    try:
        with without_ngons(mesh) as triangles:
            yield triangles
    finally:
        bpy.data.meshes.remove(mesh)


def uv_map_name(mesh: bpy.types.Mesh, owner: bpy.types.Object, wanted: str) -> str:
    """The UV map `wanted`, or the one used for rendering where that is "". Raises TransferError where there is none.

    mesh   as the modifiers of the object `owner` make it
    """
    own = mesh_of(owner).uv_layers
    if not mesh.uv_layers and own and (not wanted or wanted in own):
        raise TransferError(
            "no_uv",
            f"A modifier of '{owner.name}' leaves the mesh without UV map, as Remesh does.",
            "Apply it and unwrap the mesh, or remove it.",
        )
    if wanted and wanted not in mesh.uv_layers:
        raise TransferError("no_uv", f"'{owner.name}' has no UV map '{wanted}'.", "Choose one that it has.")
    name = wanted or mesh_arrays.render_uv_name(mesh)
    if not name:
        raise TransferError("no_uv", f"'{owner.name}' has no UV map.", "Unwrap the mesh first.")
    return name
