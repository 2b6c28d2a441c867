# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about how a face is shaded: the sliders, displacement, clay, and the panels that show them."""

import bpy
import case_process
import numpy as np
from case_process import start
from face_scene import angle_to, build

from hffne_blender.commands import roundtrip
from hffne_blender.scene import detail_nodes, skin_nodes
from hffne_blender.scene.nodes import find_node


def case_sliders(path):
    start()
    obj = build(texture_size=512, grid=96)
    result = {"as sent": angle_to(obj, 0.3)}
    bpy.ops.hffne.set_detail(synthetic_pores=1)
    result["with pores"] = angle_to(obj, 0.4)
    bpy.ops.hffne.set_detail(synthetic_pores=0, fine=0)
    result["without fine"] = angle_to(obj, 0.15)
    bpy.ops.hffne.set_detail(fine=1, smoothing=1)
    result["smoothed"] = angle_to(obj, 0.05)
    bpy.ops.hffne.set_detail(smoothing=0, split=0.5)
    # Away from the edge of the split, which the render's pixels straddle.
    result["left of the split"] = angle_to(obj, 0.0, columns=slice(0, 78))
    result["right of the split"] = angle_to(obj, 0.3, columns=slice(82, 160))
    bpy.ops.hffne.set_detail(split=0, strength=0, delit=0.25, clay=0.5)
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    obj = next(other for other in bpy.data.objects if other.type == "MESH")
    result["bare, reopened"] = angle_to(obj, 0.0)
    node = skin_nodes.find_node(obj.data.materials[0])
    result["mixes"] = [node.inputs[name].default_value for name in ("Delit", "Clay")]
    return result


def case_relief():
    """Displacement on and off, refused without a height map; undone and redone."""
    start()
    build()

    def state():
        obj = bpy.data.objects["fake"]
        skin = obj.data.materials[0]
        output = find_node(skin, bpy.types.ShaderNodeOutputMaterial)
        strength = find_node(skin, bpy.types.ShaderNodeNormalMap).inputs["Strength"].default_value
        return [output.inputs["Displacement"].is_linked, strength, len(obj.modifiers)]

    result = {"before": state()}
    bpy.ops.ed.undo_push(message="before")
    result["answer"] = list(bpy.ops.hffne.set_detail(relief="DISPLACEMENT", strength=0.5))
    bpy.ops.ed.undo_push(message="after")
    result["displaced"] = state()
    bpy.ops.ed.undo()
    result["undone"] = state()
    bpy.ops.ed.redo()
    result["redone"] = state()
    bpy.context.view_layer.objects.active = bpy.data.objects["fake"]
    bpy.ops.hffne.set_detail(relief="NORMAL")
    result["back"] = state()
    bare = build(names=())
    bpy.context.view_layer.objects.active = bare
    wanted = {
        "relief": {"relief": "DISPLACEMENT"},
        "delit": {"delit": 0.5, "strength": 0.1},
        "pores": {"synthetic_pores": 1},
    }
    for name, values in wanted.items():
        try:
            bpy.ops.hffne.set_detail(**values)
            result[f"without {name}"] = ""
        except RuntimeError as error:
            result[f"without {name}"] = str(error)
    node = detail_nodes.find_node(bare.data.materials[0])
    result["untouched"] = [node.inputs["Strength"].default_value, len(bare.modifiers)]
    return result


def glow_only(obj, socket_of):
    """The face's material shows one vector, which socket_of(node tree) gives, and nothing else."""
    tree = obj.data.materials[0].node_tree
    glow = tree.nodes.new("ShaderNodeEmission")
    tree.links.new(socket_of(tree), glow.inputs["Color"])
    tree.links.new(
        glow.outputs["Emission"], find_node(obj.data.materials[0], bpy.types.ShaderNodeOutputMaterial).inputs["Surface"]
    )


def rendered(obj, size=64, samples=1):
    """A small picture of a face from in front, in scene-linear light: (size, size, 4)."""
    scene = bpy.context.scene
    view = bpy.data.objects.get("front") or bpy.data.objects.new("front", bpy.data.cameras.new("front"))
    if not view.users_collection:
        scene.collection.objects.link(view)
    view.location, view.rotation_euler = (0, -1, 0), (np.pi / 2, 0, 0)
    view.data.type, view.data.ortho_scale = "ORTHO", 0.24
    scene.camera = view
    roundtrip.set_up(scene, size, samples)
    scene.cycles.seed = 1
    scene.view_settings.view_transform = "Raw"
    return roundtrip.render_pixels(scene)


def case_displaced():
    """How far Strength moves the surface, in meters of depth."""
    start()
    obj = build(texture_size=128, grid=48)
    bpy.ops.hffne.set_detail(relief="DISPLACEMENT")

    def place(tree):
        scale = tree.nodes.new("ShaderNodeVectorMath")
        scale.operation = "MULTIPLY_ADD"
        # Light cannot be negative.
        scale.inputs[1].default_value, scale.inputs[2].default_value = (1, 1, 1), (1, 1, 1)
        tree.links.new(tree.nodes.new("ShaderNodeNewGeometry").outputs["Position"], scale.inputs[0])
        return scale.outputs[0]

    glow_only(obj, place)
    depth = {}
    for strength in (0, 1, 2):
        bpy.ops.hffne.set_detail(strength=strength, fine=0.1 * strength)
        picture = rendered(obj)
        depth[strength] = picture[..., 1]
    inside = picture[..., 3] > 0.999
    inside[:12] = inside[-12:] = inside[:, :12] = inside[:, -12:] = False
    moved = {strength: np.abs(depth[strength] - depth[0])[inside] for strength in (1, 2)}
    return {"one": float(np.percentile(moved[1], 95)), "ratio": float(np.median(moved[2]) / np.median(moved[1]))}


def case_clay():
    """Clay is gray in the light and in the shadow, all over the same: (largest difference of channels, of pixels)."""
    start()
    obj = build(texture_size=128, grid=32)
    lamp = bpy.data.objects.new("side", bpy.data.lights.new("side", "SUN"))
    lamp.rotation_euler = (0.3, 1.3, 0)
    bpy.context.scene.collection.objects.link(lamp)
    result = {}
    for clay in (0, 1):
        bpy.ops.hffne.set_detail(clay=clay, strength=0)
        picture = rendered(obj, 48, 8)
        seen = picture[picture[..., 3] > 0.999][:, :3]
        result[f"tint {clay}"] = float(np.ptp(seen, axis=1).max())
    result["lit"] = [float(seen.min()), float(seen.max())]
    # Two faces with other textures are the same in clay.
    for node in obj.data.materials[0].node_tree.nodes:
        if node.label in ("Roughness", "Occlusion", "Color", "Delit Color"):
            node.image = bpy.data.images.new(node.label, 4, 4)
    other = rendered(obj, 48, 8)
    result["textures"] = float(np.abs(other - picture).max())
    return result


def case_panels():
    """What the panels offer for a face, for its relit photo, and for neither."""
    from types import SimpleNamespace

    from recorded_layout import Layout

    from hffne_blender.ui import detail_panel

    start()
    panels = (detail_panel.HFFNE_PT_detail, detail_panel.HFFNE_PT_look)
    result = {}

    def draw(name):
        drawn = []
        for cls in panels:
            if cls.poll(bpy.context):
                cls.draw(SimpleNamespace(layout=Layout(drawn)), bpy.context)
        result[name] = drawn

    draw("nothing")
    build()
    draw("face")
    bpy.ops.hffne.set_detail(relief="DISPLACEMENT")
    draw("displaced")
    build(names=())
    draw("bare")
    skin = bpy.data.objects["fake"].data.materials[0]
    skin.hffne_sliders.strength = 0.5
    node = detail_nodes.find_node(skin)
    result["passed on"] = [node.inputs["Strength"].default_value]
    node.inputs["Strength"].default_value = 0.25
    result["passed on"].append(skin.hffne_sliders.strength)
    result["words"] = {
        name: [
            kind.bl_rna.properties[name].description
            for name in kind.bl_rna.properties.keys()
            if name not in ("rna_type", "name")
        ]
        for name, kind in (("face", type(skin.hffne_sliders)), ("card", type(skin.hffne_relight)))
    }
    bpy.context.view_layer.objects.active = bpy.data.objects["fake"]
    bpy.ops.hffne.relight_photo()
    draw("relit")
    bpy.context.view_layer.objects.active = bpy.data.objects["fake Photo Light"]
    draw("light")
    return result


if __name__ == "__main__":
    case_process.main(globals())
