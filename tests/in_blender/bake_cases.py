# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about baking a face's detail onto itself and onto another mesh."""

from pathlib import Path

import bpy
import case_process
import numpy as np
from case_process import choose, start
from face_scene import angle_to, build

import fake_face
from hffne_blender.commands import roundtrip
from hffne_blender.scene import generated_maps, images, mesh
from hffne_blender.scene.nodes import find_node


def low_poly(pose=None):
    """A mesh of its own over the fake face: few faces, other UVs, another place for its origin, and turned."""
    from mathutils import Matrix

    _message, arrays = fake_face.answer(texture_size=16, grid=20)
    u, v = np.moveaxis(arrays["uvs"], -1, 0)
    # A turn of the layout by 90 degrees, on a part of the square.
    uvs = np.stack([0.05 + 0.8 * (1 - v), 0.1 + 0.7 * u], -1).astype(np.float32)
    base = mesh.build_mesh("Low Poly", arrays["vertices"], arrays["quads"], uvs)
    obj = bpy.data.objects.new("Low Poly", base)
    pose = pose or Matrix.Translation((0.02, 0.3, -0.1)) @ Matrix.Rotation(0.7, 4, "Z")
    base.transform(pose.inverted())
    bpy.context.scene.collection.objects.link(obj)
    obj.matrix_world = pose
    bpy.context.view_layer.update()
    return obj, uvs, pose


def baked(target, space):
    return images.values(generated_maps.of_object(target)[f"bake_{space}"])[..., :3] * 2 - 1


def case_bake_own():
    """The same mesh by both ways, both spaces, with the sliders away from their defaults."""
    start()
    obj = build(texture_size=256, grid=96)
    bpy.ops.hffne.set_detail(fine=0.5, strength=0.8)
    texel = (np.arange(256) + 0.5) / 256
    u, v = np.meshgrid(texel, 1 - texel)
    inside = np.hypot(u - 0.52, v - 0.47) < 0.45
    result = {}
    before = [bpy.context.scene.render.engine, len(obj.data.materials[0].node_tree.nodes)]
    for space in ("TANGENT", "OBJECT"):
        maps = []
        for method in ("FAST", "BLENDER"):
            bpy.ops.hffne.bake(method=method, space=space, resolution=256, margin=4)
            maps.append(baked(obj, space.lower()))
        error = roundtrip.angles(*maps)[inside]
        result[space] = [float(error.mean()), float(np.percentile(error, 99))]
    result["one image each"] = sorted(image.name for image in bpy.data.images if "_bake_" in image.name)
    result["kept"] = before == [bpy.context.scene.render.engine, len(obj.data.materials[0].node_tree.nodes)]
    return result


def case_bake_other():
    start()
    obj = build(texture_size=256, grid=96)
    low, _uvs, pose = low_poly()
    obj.matrix_world = obj.matrix_world
    bpy.ops.ed.undo_push(message="before")
    size, maps, result = 320, {}, {}
    for method in ("FAST", "BLENDER"):
        more = {"target": low.name, "method": method, "resolution": size, "space": "OBJECT", "extrusion": 0.01}
        result[method] = list(bpy.ops.hffne.bake(**more, assign=False))
        maps[method] = baked(low, "object")
    # What each texel should hold, by formula: the face's normal where the texel's point lies.
    texel = (np.arange(size) + 0.5) / size
    column, row = np.meshgrid(texel, 1 - texel)
    v, u = 1 - (column - 0.05) / 0.8, (row - 0.1) / 0.7
    inside = np.hypot(u - 0.52, v - 0.47) < 0.40
    truth = fake_face.normals(fake_face.surface(u, v)) @ np.array(pose.to_3x3())
    angles = roundtrip.angles
    result["fast is right"] = float(angles(maps["FAST"], truth)[inside].mean())
    result["both agree"] = float(angles(maps["FAST"], maps["BLENDER"])[inside].mean())
    for method in ("FAST", "BLENDER"):
        bpy.ops.hffne.bake(target=low.name, method=method, resolution=size, space="TANGENT")
        maps[method] = baked(low, "tangent")
    result["both agree, tangent"] = float(angles(maps["FAST"], maps["BLENDER"])[inside].mean())
    normal_map = find_node(low.data.materials[0], bpy.types.ShaderNodeNormalMap)
    result["assigned"] = [len(low.data.materials), normal_map.space]
    result["selected"] = [other.name for other in bpy.context.selected_objects]
    for name, values in (
        ("no target", {"target": "nobody"}),
        ("far away", {"target": low.name, "extrusion": 0.0001, "distance": 0.0001}),
        ("cage", {"target": low.name, "cage": low.name}),
    ):
        if name == "far away":
            low.location.x += 3
            bpy.context.view_layer.update()
        try:
            bpy.ops.hffne.bake(**values)
            result[name] = ""
        except RuntimeError as error:
            result[name] = str(error)
    return result


def case_bake_used(folder):
    """What a mesh without a material shows of the map that it gets, in both spaces, and what is exported of it."""
    from mathutils import Matrix

    start()
    obj = build(texture_size=512, grid=96)
    result = {"files": {}}
    for space in ("TANGENT", "OBJECT"):
        low, *_ = low_poly(Matrix.Identity(4))
        low.name = space.title()
        choose(obj)
        bpy.ops.hffne.bake(target=low.name, space=space, resolution=512)
        skin = low.data.materials[0]
        feeds = find_node(skin, bpy.types.ShaderNodeNormalMap).inputs["Color"].links[0].from_node
        result[space] = [find_node(skin, bpy.types.ShaderNodeNormalMap).space, feeds.type]
        choose(low)
        where = Path(folder) / space
        where.mkdir()
        bpy.ops.hffne.export_maps(directory=str(where), convention="DIRECTX")
        for path in where.iterdir():
            image = bpy.data.images.load(str(path))
            image.colorspace_settings.name = "Non-Color"
            code, kept = (
                images.values(image)[..., :3],
                images.values(generated_maps.of_object(low)[f"bake_{space.lower()}"])[..., :3].copy(),
            )
            if space == "TANGENT":
                kept[..., 1] = 1 - kept[..., 1]
            result["files"][path.name] = float(np.abs(code - kept).max())
        # For its time as a face the mesh is seen as the photo saw that.
        low["hffne_camera"] = obj["hffne_camera"]
        obj.hide_render = True
        result[space].append(angle_to(low, 0.3))
        bpy.data.objects.remove(low)
    return result


if __name__ == "__main__":
    case_process.main(globals())
