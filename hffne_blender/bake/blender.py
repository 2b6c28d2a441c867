# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own baker: selected to active with a cage, or a mesh's own material."""

from types import TracebackType
from typing import Any

import bpy
import numpy as np

from ..numeric.vectors import unit
from ..scene import images
from ..scene.access import first_material, mesh_of, tree_of
from ..scene.nodes import new_material, new_node, select_only
from ..system.required import required
from ..system.silence_stdout import silence_stdout
from .skin_alone import skin_alone

# Samples of each texel, spread over its area.
SAMPLES = 4


def bake(
    context: bpy.types.Context,
    source: bpy.types.Object,
    target: bpy.types.Object,
    size: int,
    extrusion: float,
    distance: float,
    margin: int,
    object_space: bool,
    cage: bpy.types.Object | None = None,
) -> np.ndarray:
    """The normal map of `target` with the detail of the face `source`: (size, size, 3) float32.

    extrusion     meters by which the target is inflated where there is no cage
    distance      meters that rays go; 0: no limit
    margin        texels by which islands are extended
    object_space  object-space normals instead of tangent-space ones
    cage          an object with the target's topology from whose faces the rays start

    Works in the context's scene, whose settings, selection and materials are restored. Raises RuntimeError with
    Blender's own message when it refuses.
    """
    scene = required(context.scene)
    flat = np.ones((size, size, 4), np.float32)
    flat[..., :3] = (0.5, 0.5, 1.0)
    image = images.float_image("HFFNE bake", flat)
    own = target == source
    canvas = None if own else new_material("HFFNE bake")
    # What is baked of a head's other parts; their UVs lie over the skin's.
    spare = images.float_image("HFFNE spare", flat[:1, :1])
    with skin_alone(context, source, target) as baked, _TemporarySettings(context, baked, target) as settings:
        if canvas is None:
            settings.add_image_node(tree_of(first_material(target)), image)
            for slot in target.material_slots[1:]:
                if slot.material is not None and slot.material != first_material(target):
                    settings.add_image_node(tree_of(slot.material), spare)
        else:
            settings.add_image_node(tree_of(canvas), image)
            settings.assign(canvas)
        render: Any = scene.render
        render.engine = "CYCLES"
        cycles: Any = scene.cycles
        cycles.device = "CPU"
        cycles.samples = SAMPLES
        cycles.use_denoising = False
        try:
            with silence_stdout():
                bpy.ops.object.bake(
                    type="NORMAL",
                    normal_space="OBJECT" if object_space else "TANGENT",
                    use_selected_to_active=not own,
                    use_cage=cage is not None,
                    cage_object=cage.name if cage is not None else "",
                    cage_extrusion=extrusion,
                    max_ray_distance=distance,
                    margin=margin,
                    margin_type="EXTEND",
                    use_clear=False,
                    target="IMAGE_TEXTURES",
                )
            normal = images.normals(image)
        finally:
            settings.restore_materials()
            bpy.data.batch_remove([image, spare])
            if canvas is not None:
                bpy.data.materials.remove(canvas)
    return unit(normal, 1e-6).astype(np.float32)


class _TemporarySettings:
    """What the baker needs changed in the scene; restored at the end of a `with`."""

    _CYCLES = ("samples", "device", "use_denoising")

    def __init__(self, context: bpy.types.Context, source: bpy.types.Object, target: bpy.types.Object):
        self._context, self._target = context, target
        self._objects = [source, target]
        self._nodes: list[bpy.types.Node] = []
        self._slots: list[tuple[str, bpy.types.Material | None]] | None = None

    def __enter__(self) -> "_TemporarySettings":
        scene, layer = required(self._context.scene), required(self._context.view_layer)
        self._active, self._selected = layer.objects.active, list(self._context.selected_objects or ())
        self._hidden = [(obj, obj.hide_render) for obj in self._objects]
        self._engine = scene.render.engine
        self._cycles = {name: getattr(scene.cycles, name) for name in self._CYCLES}
        for obj in self._selected:
            obj.select_set(False)
        for obj in self._objects:
            obj.hide_render = False
            obj.select_set(True)
        layer.objects.active = self._target
        return self

    def add_image_node(self, tree: bpy.types.NodeTree, image: bpy.types.Image) -> None:
        """Add an image node as the active one: the baker writes into its image."""
        node = new_node(tree, bpy.types.ShaderNodeTexImage)
        node.image = image
        select_only(tree, node)
        self._nodes.append(node)

    def assign(self, material: bpy.types.Material) -> None:
        """Assign one material to all slots of the target."""
        slots = self._target.material_slots
        self._slots = [(slot.link, slot.material) for slot in slots]
        if not self._slots:
            mesh_of(self._target).materials.append(material)
        for slot in slots:
            slot.material = material

    def restore_materials(self) -> None:
        """Remove the image nodes and give the target its materials again. May be called twice."""
        while self._nodes:
            node = self._nodes.pop()
            tree = node.id_data
            assert isinstance(tree, bpy.types.NodeTree)
            tree.nodes.remove(node)
        if self._slots is not None:
            for slot, (_, material) in zip(self._target.material_slots, self._slots, strict=False):
                slot.material = material
            if not self._slots:
                mesh_of(self._target).materials.clear()
            self._slots = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restore_materials()
        scene = required(self._context.scene)
        for name, value in self._cycles.items():
            setattr(scene.cycles, name, value)
        scene.render.engine = self._engine
        for obj, hidden in self._hidden:
            obj.hide_render = hidden
            obj.select_set(False)
        for obj in self._selected:
            obj.select_set(True)
        required(self._context.view_layer).objects.active = self._active
