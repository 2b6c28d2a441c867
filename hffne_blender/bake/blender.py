# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own baker: selected to active with a cage, or a mesh's own material."""

import contextlib
from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np

from ..numeric.vectors import unit
from ..scene import images, mesh_arrays
from ..scene.access import first_material, mesh_of, tree_of
from ..scene.nodes import new_material, new_node, select_only
from ..scene.temporary import Setting, changed, cycles_of, own_scene
from ..system.required import required
from ..system.silence_stdout import silence_stdout
from . import fast
from .skin_alone import skin_alone

# Samples of each texel, spread over its area.
SAMPLES = 4
# Share by which the scales of the axes may differ, twice: squares are compared. How far UVs may leave the first tile.
EVEN, TILE_EDGE = 2e-3, 1e-4


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

    Bakes in a scene of its own, so that no setting of the user's scene reaches the result; materials and objects are
    restored. Raises ValueError for a target that Blender's baker would bake wrongly, RuntimeError with Blender's own
    message when it refuses.
    """
    user_scene = required(context.scene)
    cycles_of(user_scene)
    _check(target)
    flat = np.ones((size, size, 4), np.float32)
    flat[..., :3] = (0.5, 0.5, 1.0)
    image = images.float_image("HFFNE bake", flat)
    own = target == source
    canvas = None if own else new_material("HFFNE bake")
    # What is baked of a head's other parts; their UVs lie over the skin's.
    spare = images.float_image("HFFNE spare", flat[:1, :1])
    materials = _Materials(target)
    uv_name = fast.uv_name(target)
    try:
        with skin_alone(context, source, target) as baked, own_scene("HFFNE bake", user_scene) as scene:
            if canvas is None:
                materials.add_image_node(tree_of(first_material(target)), image)
                for slot in target.material_slots[1:]:
                    if slot.material is not None and slot.material != first_material(target):
                        materials.add_image_node(tree_of(slot.material), spare)
            else:
                materials.add_image_node(tree_of(canvas), image)
                materials.assign(canvas)
            with _ready(context, scene, baked, target, cage, uv_name), silence_stdout():
                bpy.ops.object.bake(
                    type="NORMAL",
                    normal_space="OBJECT" if object_space else "TANGENT",
                    # The axes as in OpenGL, whatever the scene says.
                    normal_r="POS_X",
                    normal_g="POS_Y",
                    normal_b="POS_Z",
                    use_selected_to_active=not own,
                    use_cage=cage is not None,
                    cage_object=cage.name if cage is not None else "",
                    cage_extrusion=extrusion,
                    max_ray_distance=distance,
                    margin=margin,
                    margin_type="EXTEND",
                    use_clear=False,
                    use_split_materials=False,
                    save_mode="INTERNAL",
                    uv_layer=uv_name,
                    target="IMAGE_TEXTURES",
                )
            normal = images.normals(image)
    finally:
        materials.restore()
        bpy.data.batch_remove([image, spare])
        if canvas is not None:
            bpy.data.materials.remove(canvas)
    return unit(normal, 1e-6).astype(np.float32)


def _check(target: bpy.types.Object) -> None:
    """Raise ValueError for a target that Blender's baker would bake wrongly without a word."""
    axes = np.array(target.matrix_world)[:3, :3]
    squares = axes.T @ axes
    if np.abs(squares - np.eye(3) * np.trace(squares) / 3).max() > EVEN * np.trace(squares) / 3:
        raise ValueError(
            f"'{target.name}' has not the same scale on all axes, which Blender's baker bakes wrongly: apply the scale "
            "(Object > Apply > Scale), or choose the method Fast."
        )
    uvs = mesh_arrays.loop_uvs(mesh_of(target), fast.uv_name(target))
    if len(uvs) and (uvs.min() < -TILE_EDGE or uvs.max() > 1 + TILE_EDGE):
        raise ValueError(
            f"The UV map of '{target.name}' leaves the first UV tile, the only one that Blender's baker fills: move it "
            "there, or choose the method Fast."
        )


@contextlib.contextmanager
def _ready(
    context: bpy.types.Context,
    scene: bpy.types.Scene,
    source: bpy.types.Object,
    target: bpy.types.Object,
    cage: bpy.types.Object | None,
    uv_name: str,
) -> Iterator[None]:
    """Set `scene` and the objects up for the baker, which takes them from the context, for the time of a `with`."""
    objects = list(dict.fromkeys(obj for obj in (source, target, cage) if obj is not None))
    for obj in objects:
        scene.collection.objects.link(obj)
    layer = scene.view_layers[0]
    layers: Any = mesh_of(target).uv_layers
    render: Any = scene.render
    render.engine = "CYCLES"
    cycles = cycles_of(scene)
    cycles.device, cycles.samples, cycles.use_denoising = "CPU", SAMPLES, False
    settings: list[Setting] = [(layers, "active", layers[uv_name])]
    for obj in objects:
        # A hidden object can neither be selected nor baked.
        settings += [(obj, name, False) for name in ("hide_render", "hide_viewport", "hide_select")]
    with changed(settings):
        layer.update()
        for obj in objects:
            obj.hide_set(False, view_layer=layer)
            obj.select_set(obj in (source, target), view_layer=layer)
        layer.objects.active = target
        selected = list(dict.fromkeys((source, target)))
        override: dict[str, Any] = {
            "scene": scene,
            "view_layer": layer,
            "object": target,
            "active_object": target,
            "selected_objects": selected,
            "selected_editable_objects": selected,
        }
        with context.temp_override(**override):
            yield


class _Materials:
    """What the baker needs changed in the target's materials.

    target  the object that is baked onto
    """

    def __init__(self, target: bpy.types.Object):
        self._target = target
        self._nodes: list[bpy.types.Node] = []
        self._slots: list[tuple[str, bpy.types.Material | None]] | None = None

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

    def restore(self) -> None:
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
