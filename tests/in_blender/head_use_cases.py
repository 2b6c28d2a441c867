# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about what takes a face and so a head: sliders, lights, exports, bakes and Apply to My Mesh."""

from pathlib import Path

import bpy
import case_process
import numpy as np
from case_process import choose, start
from face_scene import build as build_mask
from head_scene import build
from target_mesh import ALL, MOVED, angle, put_landmarks, remeshed_skin

from hffne_blender.character.read_face import read_face
from hffne_blender.commands import roundtrip
from hffne_blender.scene import generated_maps, images, shape_keys

MAPS = ("albedo", "bands", "height", "curvature", "occlusion", "roughness", "seen", "relight", "pores")


def case_operators(folder):
    start()
    obj = build(names=MAPS)
    result = {"states": {}}
    bpy.ops.hffne.set_detail(strength=0.5, clay=1.0)
    bpy.ops.hffne.set_detail(relief="DISPLACEMENT")
    modifier = obj.modifiers[0]
    result["displaced"] = [modifier.type, modifier.subdivision_type, len(obj.data.shape_keys.key_blocks)]
    bpy.ops.hffne.set_detail(relief="NORMAL")
    result["modifiers"] = len(obj.modifiers)
    for name, values in (
        ("add_lights", {"preset": "SOFT"}),
        ("add_turntable", {}),
        ("relight_photo", {}),
        ("view_photo", {}),
        ("export_maps", {"directory": folder}),
    ):
        choose(obj)
        result["states"][name] = sorted(getattr(bpy.ops.hffne, name)(**values))
    result["files"] = sorted(path.stem for path in Path(folder).iterdir())
    return result


def case_bake_own():
    """Both ways of baking agree on a head's skin; its other parts, whose UVs lie over it, leave no trace."""
    start()
    head, mask = build(texture_size=256, grid=96), build_mask(names=(), grid=96)
    texel = (np.arange(256) + 0.5) / 256
    u, v = np.meshgrid(texel, 1 - texel)
    inside = np.hypot(u - 0.52, v - 0.47) < 0.45
    maps, result = {}, {}
    for which, obj, method in (("fast", head, "FAST"), ("blender", head, "BLENDER"), ("mask", mask, "FAST")):
        choose(obj)
        bpy.ops.hffne.bake(method=method, resolution=256, margin=4)
        maps[which] = images.values(generated_maps.of_object(obj)["bake_tangent"])[..., :3] * 2 - 1
    for which in ("blender", "mask"):
        error = roundtrip.angles(maps["fast"], maps[which])[inside]
        result[which] = [float(error.mean()), float(np.percentile(error, 99))]
    result["nodes"] = [
        sum(node.type == "TEX_IMAGE" and node.image is None for node in material.node_tree.nodes)
        for material in head.data.materials
    ]
    result["images"] = [image.name for image in bpy.data.images if image.name.startswith("HFFNE")]
    return result


def case_bake_other():
    """A mesh over the head gets the skin's detail; no ray is stopped by an eyeball in front of the skin."""
    start()
    obj = build(texture_size=256, grid=96)
    # In front of the skin, where it would be met first.
    for point in obj.data.shape_keys.key_blocks[shape_keys.PHOTO].data[-140:]:
        point.co.y -= 0.02
    copy = remeshed_skin(obj)
    maps, meshes = {}, len(bpy.data.meshes)
    for method in ("FAST", "BLENDER"):
        choose(obj)
        bpy.ops.hffne.bake(target=copy.name, method=method, resolution=320, space="OBJECT", extrusion=0.03)
        maps[method] = images.values(generated_maps.of_object(copy)["bake_object"])[..., :3] * 2 - 1
    error = roundtrip.angles(maps["FAST"], maps["BLENDER"])
    # Where both say something else than nothing.
    known = np.all([np.abs(one - (0, 0, 1)).max(2) > 0.01 for one in maps.values()], axis=0)
    return {
        "known": float(known.mean()),
        "median": float(np.median(error[known])),
        "p90": float(np.percentile(error[known], 90)),
        "left": len(bpy.data.meshes) - meshes,
        "selected": [other.name for other in bpy.context.selected_objects],
    }


def case_apply():
    """The detail of a head arrives on another mesh."""
    start()
    obj = build(texture_size=512, grid=64)
    copy = remeshed_skin(obj, MOVED)
    put_landmarks(obj, copy, 0)
    bpy.ops.hffne.apply_to_mesh(face=obj.name, target=copy.name, align="LANDMARKS", **ALL)
    source = read_face(obj)
    return {
        "angle": angle(obj, copy),
        "vertices": [len(source.uv), len(obj.data.vertices)],
        "landmarks": float(np.linalg.norm(np.ptp(source.landmarks, axis=0))),
    }


if __name__ == "__main__":
    case_process.main(globals())
