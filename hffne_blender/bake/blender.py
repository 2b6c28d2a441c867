# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own baker: selected to active with a cage, or a mesh's own material."""

import bpy
import numpy as np

from ..scene import images
from ..scene.nodes import new_material
from ..system.silence_stdout import quiet

# Texels are shaded at their middle and around it.
SAMPLES = 4


def bake(context, source, target, size, extrusion, distance, margin, object_space, cage=None):
    """The normal map of `target` with the detail of the face `source`: (size, size, 3) float32.

    cage  an object with the target's topology from whose faces the rays start; None blows the target up by
          `extrusion` meters. `distance` in meters, 0: no limit.
    Works in the context's scene, whose settings, selection and materials are put back. Raises RuntimeError with
    Blender's own words when it refuses.
    """
    scene = context.scene
    image = bpy.data.images.new("HFFNE bake", size, size, float_buffer=True, is_data=True)
    image.colorspace_settings.name = "Non-Color"
    flat = np.ones((size * size, 4), np.float32)
    flat[:, :3] = (0.5, 0.5, 1.0)
    image.pixels.foreach_set(flat.ravel())
    own = target == source
    canvas = None if own else _canvas(image)
    with _Settings(context, source, target) as kept:
        if own:
            kept.node = _image_node(target.data.materials[0].node_tree, image)
        else:
            kept.wear(canvas)
        scene.render.engine = "CYCLES"
        scene.cycles.device = "CPU"
        scene.cycles.samples = SAMPLES
        scene.cycles.use_denoising = False
        try:
            with quiet():
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
            normal = images.values(image)[..., :3] * 2 - 1
        finally:
            kept.restore()
            bpy.data.images.remove(image)
            if canvas is not None:
                bpy.data.materials.remove(canvas)
    return (normal / np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-6)).astype(np.float32)


class _Settings:
    """What the baker wants changed, remembered and put back."""

    def __init__(self, context, source, target):
        self.context, self.target, self.node, self.worn = context, target, None, None
        self.objects = [source, target]

    def __enter__(self):
        context, scene = self.context, self.context.scene
        self.active, self.selected = context.view_layer.objects.active, list(context.selected_objects)
        self.hidden = [(obj, obj.hide_render) for obj in self.objects]
        names = ("samples", "device", "use_denoising")
        self.render = scene.render.engine, {name: getattr(scene.cycles, name) for name in names}
        for obj in self.selected:
            obj.select_set(False)
        for obj in self.objects:
            obj.hide_render = False
            obj.select_set(True)
        context.view_layer.objects.active = self.target
        return self

    def wear(self, material):
        """The target wears one material on all its slots."""
        mesh = self.target.data
        self.worn = [(slot.link, slot.material) for slot in self.target.material_slots]
        if not self.worn:
            mesh.materials.append(material)
        for slot in self.target.material_slots:
            slot.material = material

    def restore(self):
        if self.node is not None:
            self.node.id_data.nodes.remove(self.node)
            self.node = None
        if self.worn is not None:
            for slot, (_, material) in zip(self.target.material_slots, self.worn):
                slot.material = material
            if not self.worn:
                self.target.data.materials.clear()
            self.worn = None

    def __exit__(self, *_):
        self.restore()
        scene = self.context.scene
        engine, cycles = self.render
        for name, value in cycles.items():
            setattr(scene.cycles, name, value)
        scene.render.engine = engine
        for obj, hidden in self.hidden:
            obj.hide_render = hidden
            obj.select_set(False)
        for obj in self.selected:
            obj.select_set(True)
        self.context.view_layer.objects.active = self.active


def _canvas(image):
    material = new_material("HFFNE bake")
    _image_node(material.node_tree, image)
    return material


def _image_node(tree, image):
    """A new image node, the active one: there the baker writes."""
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    for other in tree.nodes:
        other.select = other == node
    tree.nodes.active = node
    return node
