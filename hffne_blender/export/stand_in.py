# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain copy of a face in the scene for the time of an export, under the face's own names."""

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from ..scene import face_attributes
from ..scene.access import mesh_of
from ..system.required import required


@contextmanager
def stand_in(
    context: bpy.types.Context,
    obj: bpy.types.Object,
    name: str,
    materials: list[bpy.types.Material | None],
    size: float,
) -> Iterator[bpy.types.Object]:
    """A copy of a face that is alone selected, at the origin, without modifiers, with other materials.

    size  its scale: Blender units in a meter, as far as the exporter does not care for units

    Selection, names and data-blocks are as before at the end; the materials are removed, too.
    """
    scene, view_layer = required(context.scene), required(context.view_layer)
    selected = [other for other in context.selected_objects]
    active = view_layer.objects.active
    mesh = mesh_of(obj).copy()
    copy = bpy.data.objects.new("HFFNE export", mesh)
    names = _Names()
    try:
        confidence = mesh.attributes.get(face_attributes.CONFIDENCE)
        if confidence is not None:
            mesh.attributes.remove(confidence)
        mesh.animation_data_clear()
        if mesh.shape_keys is not None:
            mesh.shape_keys.animation_data_clear()
        old = list(mesh.materials)
        for slot, material in enumerate(materials):
            mesh.materials[slot] = material
        copy.scale = (size,) * 3
        scene.collection.objects.link(copy)
        for material, before in zip(materials, old, strict=True):
            if material is not None and before is not None and material != before:
                names.give(material, before, before.name)
        names.give(copy, bpy.data.objects.get(name), name)
        names.give(mesh, bpy.data.meshes.get(name), name)
        for other in selected:
            other.select_set(False)
        copy.select_set(True)
        view_layer.objects.active = copy
        view_layer.update()
        yield copy
    finally:
        made = [block for block in materials if block is not None and block not in old]
        bpy.data.batch_remove([copy, mesh, *made])
        names.restore()
        for other in selected:
            other.select_set(True)
        view_layer.objects.active = active


class _Names:
    """Names that are given to other data-blocks for a while."""

    def __init__(self) -> None:
        self._before: list[tuple[bpy.types.ID, str]] = []

    def give(self, block: bpy.types.ID, owner: bpy.types.ID | None, name: str) -> None:
        """Let `block` have the name of its owner, unless that is from a linked library."""
        if owner is not None and owner != block and owner.library is None:
            self._before.append((owner, owner.name))
            owner.name = f"{name[:40]} (exported)"
        block.name = name

    def restore(self) -> None:
        """Give the names back."""
        for owner, name in self._before:
            owner.name = name
