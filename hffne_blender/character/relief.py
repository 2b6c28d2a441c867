# SPDX-License-Identifier: GPL-3.0-or-later
"""Heights as sculpted relief: a Multires modifier of the target's own, which can be sculpted on."""

import bpy
import numpy as np

from ..numeric.slope_field import sample
from .source import TransferError

NAME = "HFFNE Relief"


def sculpt(context, obj, uv_name, height, levels):
    """Give `obj` a Multires modifier with `levels` levels and the relief sculpted into it.

    height  (T, T, 1) in the object's own units along its normals, row 0 at v = 1

    An earlier relief of ours is replaced. Raises TransferError when the object has another Multires.
    """
    check(obj)
    remove(obj)
    modifier = obj.modifiers.new(NAME, "MULTIRES")
    obj.modifiers.move(len(obj.modifiers) - 1, 0)
    donor = None
    try:
        with context.temp_override(
            object=obj, active_object=obj, selected_objects=[obj], selected_editable_objects=[obj]
        ):
            for _ in range(levels):
                bpy.ops.object.multires_subdivide(modifier=NAME, mode="CATMULL_CLARK")
        modifier.levels = modifier.sculpt_levels = modifier.render_levels = levels
        donor = _dense_copy(context, obj)
        _displace(donor.data, uv_name, height)
        with context.temp_override(
            object=obj, active_object=obj, selected_objects=[obj, donor], selected_editable_objects=[obj, donor]
        ):
            state = bpy.ops.object.multires_reshape(modifier=NAME)
        if state != {"FINISHED"}:
            raise TransferError("no_relief", "Blender could not sculpt the relief.", "Use a displacement map instead.")
    except (TransferError, RuntimeError) as error:
        remove(obj)
        if isinstance(error, TransferError):
            raise
        raise TransferError("no_relief", f"Blender could not sculpt the relief: {error}".strip(), "") from None
    finally:
        if donor is not None:
            mesh = donor.data
            bpy.data.objects.remove(donor)
            bpy.data.meshes.remove(mesh)


def check(obj):
    """Raises TransferError for an object that cannot take a relief."""
    if any(modifier.type == "MULTIRES" and modifier.name != NAME for modifier in obj.modifiers):
        raise TransferError(
            "has_multires",
            f"'{obj.name}' has a Multires modifier already.",
            "Apply it, work on a copy, or choose a displacement map.",
        )
    if obj.data.users > 1:
        raise TransferError(
            "shared_mesh",
            f"The mesh of '{obj.name}' belongs to {obj.data.users} objects; a relief would show on one and burden all.",
            "Make it single-user (Object > Relations), or choose a displacement map.",
        )


def remove(obj):
    modifier = obj.modifiers.get(NAME)
    if modifier is not None:
        obj.modifiers.remove(modifier)


def _dense_copy(context, obj):
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
    donor = bpy.data.objects.new("HFFNE donor", mesh)
    context.scene.collection.objects.link(donor)
    donor.matrix_world = obj.matrix_world
    context.view_layer.update()
    return donor


def _displace(mesh, uv_name, height):
    loops = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", loops)
    uv = np.empty(len(loops) * 2, np.float32)
    mesh.uv_layers[uv_name].uv.foreach_get("vector", uv)
    values = sample(height, uv.reshape(-1, 2).astype(float))[:, 0]
    # On a seam a vertex has two UVs, with the same height but for the texture's grain.
    count = np.maximum(np.bincount(loops, minlength=len(mesh.vertices)), 1)
    values = np.bincount(loops, values, len(mesh.vertices)) / count
    points, normals = (np.empty(len(mesh.vertices) * 3, np.float32) for _ in range(2))
    mesh.vertices.foreach_get("co", points)
    mesh.vertex_normals.foreach_get("vector", normals)
    moved = points.reshape(-1, 3) + normals.reshape(-1, 3) * values[:, None]
    mesh.vertices.foreach_set("co", moved.astype(np.float32).ravel())
    mesh.update()
