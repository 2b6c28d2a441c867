# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about the materials of a head's parts: what is linked, what Cycles shows of an eye, what a glTF file says."""

import json
import struct
from pathlib import Path

import bpy
import case_process
import numpy as np
from case_process import choose, empty
from head_scene import build

import fake_head
from hffne_blender.commands import roundtrip
from hffne_blender.scene.nodes import find_node


def case_parts():
    """Each part's shader: the picture behind the color and the opacity, and how it is blended."""
    empty()
    obj = build(parts=fake_head.ALL_PARTS)
    result = {}
    for part, material in zip(fake_head.ALL_PARTS, obj.data.materials, strict=True):
        surface = find_node(material, bpy.types.ShaderNodeBsdfPrincipled)
        feeds = [
            surface.inputs[name].links[0].from_node.type if surface.inputs[name].is_linked else None
            for name in ("Base Color", "Alpha")
        ]
        outputs = {
            node.target: node.is_active_output for node in material.node_tree.nodes if node.type == "OUTPUT_MATERIAL"
        }
        result[part] = [*feeds, material.surface_render_method, outputs]
        visible = material.diffuse_color[3]
        result["hidden in Solid"] = [*result.get("hidden in Solid", []), *([part] if visible == 0 else [])]
    result["images"] = sorted(image.name for image in bpy.data.images if "_part_" in image.name)
    return result


def rendered(obj, center):
    """What Cycles shows from in front around a point, in even white light: (64, 64, 4) linear."""
    scene = bpy.context.scene
    world = bpy.data.worlds.new("white")
    if world.node_tree is None:
        world.use_nodes = True
    next(node for node in world.node_tree.nodes if node.type == "BACKGROUND").inputs["Color"].default_value = (1,) * 4
    scene.world = world
    view = bpy.data.objects.new("front", bpy.data.cameras.new("front"))
    scene.collection.objects.link(view)
    view.location, view.rotation_euler = (center[0], -1, center[2]), (np.pi / 2, 0, 0)
    view.data.type, view.data.ortho_scale = "ORTHO", 0.03
    scene.camera = view
    roundtrip.set_up(scene, 64, 16)
    scene.view_settings.view_transform = "Raw"
    return roundtrip.render_pixels(scene)


def case_eye():
    """The pupil is dark, the iris has the photo's color, and the white of the eye is white; seen by Cycles."""
    empty()
    obj = build(parts=fake_head.ALL_PARTS)
    # Only the eye is looked at: the skin lies around it.
    for number, material in enumerate(obj.data.materials):
        if fake_head.ALL_PARTS[number] not in ("Eye Left", "Iris Left"):
            material.node_tree.nodes.clear()
    obj.data.materials[0].node_tree.nodes.clear()
    picture = rendered(obj, fake_head.PLACES[0][0])
    row, column = np.mgrid[:64, :64]
    # Meters from the middle of the picture.
    away = np.hypot(row - 31.5, column - 31.5) * 0.03 / 64
    iris = fake_head.IRIS_RADIUS

    def color(low, high):
        return picture[(away > low) & (away < high)][:, :3].mean(0).tolist()

    return {
        "pupil": color(0, 0.2 * iris),
        "iris": color(0.4 * iris, 0.7 * iris),
        "white": color(1.3 * iris, 1.6 * iris),
    }


def case_gltf(folder):
    """The materials that a glTF file has: by name, whether they blend, and the picture of their color."""
    empty()
    obj = build(parts=fake_head.ALL_PARTS)
    choose(obj)
    path = Path(folder) / "head.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), use_selection=True, export_apply=False)
    data = path.read_bytes()
    length = struct.unpack("<I", data[12:16])[0]
    document = json.loads(data[20 : 20 + length])
    return {
        material["name"]: [
            material.get("alphaMode", "OPAQUE"),
            "baseColorTexture" in material["pbrMetallicRoughness"],
        ]
        for material in document["materials"]
    }


if __name__ == "__main__":
    case_process.main(globals())
