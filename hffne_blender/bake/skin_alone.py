# SPDX-License-Identifier: GPL-3.0-or-later
"""A head without its eyes, teeth and other parts, for a baker whose rays would meet them before the skin."""

from collections.abc import Iterator
from contextlib import contextmanager

import bmesh
import bpy

from ..scene import head, shape_keys
from ..system.required import required


@contextmanager
def skin_alone(
    context: bpy.types.Context, source: bpy.types.Object, target: bpy.types.Object
) -> Iterator[bpy.types.Object]:
    """The object to bake from, for the time of a `with`: `source`, or a temporary copy of a head's skin.

    target  what is baked onto; a head that is baked onto itself needs no copy
    """
    if not head.is_head(source) or source == target:
        yield source
        return
    with shape_keys.shown_mesh(source) as shown:
        mesh = shown.copy()
    work = bmesh.new()
    try:
        work.from_mesh(mesh)
        others = [face for face in work.faces if face.material_index != head.SKIN]
        bmesh.ops.delete(work, geom=others, context="FACES")
        work.to_mesh(mesh)
    finally:
        work.free()
    copy = bpy.data.objects.new(f"{source.name} skin", mesh)
    try:
        copy.matrix_world = source.matrix_world
        required(context.scene).collection.objects.link(copy)
        required(context.view_layer).update()
        yield copy
    finally:
        bpy.data.batch_remove([copy, mesh])
