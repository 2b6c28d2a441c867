# SPDX-License-Identifier: GPL-3.0-or-later
"""Heights sculpted into a Multires modifier of the target, which an artist can go on sculpting."""

from typing import Any

import bpy
import numpy as np

from ..numeric.resample import cubic
from ..scene import mesh_arrays
from ..scene.access import mesh_of, read_array, write_array
from ..system.required import required
from .errors import TransferError

NAME = "HFFNE Relief"


def sculpt(context: bpy.types.Context, obj: bpy.types.Object, uv_name: str, height: np.ndarray, levels: int) -> None:
    """Give `obj` a Multires modifier with `levels` levels and the heights sculpted into it.

    height  (T, T, 1) in the object's own units along its normals, row 0 at v = 1

    An earlier modifier of this extension is replaced. Raises TransferError when the object has another Multires or
    Blender cannot sculpt.
    """
    check(obj)
    remove(obj)
    modifier = obj.modifiers.new(NAME, "MULTIRES")
    assert isinstance(modifier, bpy.types.MultiresModifier)
    obj.modifiers.move(len(obj.modifiers) - 1, 0)
    dense = None
    try:
        with context.temp_override(
            object=obj, active_object=obj, selected_objects=[obj], selected_editable_objects=[obj]
        ):
            for _ in range(levels):
                bpy.ops.object.multires_subdivide(modifier=NAME, mode="CATMULL_CLARK")
        modifier.levels = modifier.sculpt_levels = modifier.render_levels = levels
        dense = _dense_copy(context, obj)
        _displace(mesh_of(dense), uv_name, height)
        with context.temp_override(
            object=obj, active_object=obj, selected_objects=[obj, dense], selected_editable_objects=[obj, dense]
        ):
            state: Any = bpy.ops.object.multires_reshape(modifier=NAME)
        if state != {"FINISHED"}:
            raise TransferError("no_relief", "Blender could not sculpt the relief.", "Use a displacement map instead.")
    except (TransferError, RuntimeError) as error:
        remove(obj)
        if isinstance(error, TransferError):
            raise
        raise TransferError("no_relief", f"Blender could not sculpt the relief: {error}".strip(), "") from None
    finally:
        if dense is not None:
            mesh = mesh_of(dense)
            bpy.data.objects.remove(dense)
            bpy.data.meshes.remove(mesh)


def check(obj: bpy.types.Object) -> None:
    """Raises TransferError for an object that cannot take a sculpted relief."""
    if any(modifier.type == "MULTIRES" and modifier.name != NAME for modifier in obj.modifiers):
        raise TransferError(
            "has_multires",
            f"'{obj.name}' has a Multires modifier already.",
            "Apply it, work on a copy, or choose a displacement map.",
        )
    users = mesh_of(obj).users
    if users > 1:
        raise TransferError(
            "shared_mesh",
            f"The mesh of '{obj.name}' belongs to {users} objects; a relief would affect all of them.",
            "Make it single-user (Object > Relations), or choose a displacement map.",
        )


def remove(obj: bpy.types.Object) -> None:
    """Remove this extension's Multires modifier from an object, if there is one."""
    modifier = obj.modifiers.get(NAME)
    if modifier is not None:
        obj.modifiers.remove(modifier)


def _dense_copy(context: bpy.types.Context, obj: bpy.types.Object) -> bpy.types.Object:
    """A new object with the mesh that the Multires modifier alone makes."""
    hidden = [modifier for modifier in obj.modifiers if modifier.name != NAME and modifier.show_viewport]
    for modifier in hidden:
        modifier.show_viewport = False
    try:
        graph = context.evaluated_depsgraph_get()
        graph.update()
        mesh = bpy.data.meshes.new_from_object(obj.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    finally:
        for modifier in hidden:
            modifier.show_viewport = True
    dense = bpy.data.objects.new("HFFNE dense", mesh)
    required(context.scene).collection.objects.link(dense)
    dense.matrix_world = obj.matrix_world
    required(context.view_layer).update()
    return dense


def _displace(mesh: bpy.types.Mesh, uv_name: str, height: np.ndarray) -> None:
    loops = mesh_arrays.loop_vertices(mesh)
    values = cubic(height, mesh_arrays.loop_uvs(mesh, uv_name).astype(float))[:, 0]
    # On a seam a vertex has two UVs, whose heights differ only by the sampling.
    count = np.maximum(np.bincount(loops, minlength=len(mesh.vertices)), 1)
    values = np.bincount(loops, values, len(mesh.vertices)) / count
    normals = read_array(mesh.vertex_normals, "vector", 3)
    write_array(mesh.vertices, "co", mesh_arrays.points(mesh) + normals * values[:, None])
    mesh.update()
