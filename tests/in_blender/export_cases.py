# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about Export Character: the files for each program, read back."""

import json
from pathlib import Path

import bpy
import case_process
import numpy as np
from case_process import choose, start
from face_scene import build as build_mask
from head_scene import build
from map_cases import full_disk_limit

from hffne_blender.export import presets
from hffne_blender.numeric import srgb
from hffne_blender.scene import detail_nodes, images, textures, units
from hffne_blender.scene.nodes import find_group

MAPS = ("albedo", "bands", "height", "occlusion", "roughness")
KINDS = ("objects", "meshes", "materials", "images", "node_groups", "scenes")


def names():
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in KINDS}


def read(path):
    """The values of a picture's file as they are coded, (H, W, C)."""
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    values = images.values(image)
    bpy.data.images.remove(image)
    return values


def case_textures(folder):
    """What the files of each program hold, with the sliders moved."""
    start()
    obj = build(texture_size=256, grid=96, names=MAPS)
    skin = obj.data.materials[0]
    sliders = {"strength": 0.7, "fine": 0.3, "smoothing": 0.2, "delit": 0.6, "clay": 0.25}
    bpy.ops.hffne.set_detail(**sliders)
    bpy.ops.hffne.add_lights(preset="RIM")
    choose(obj)
    before, result = names(), {}
    maps = {kind: images.values(image) for kind, image in textures.of_material(skin).items()}
    light = {kind: srgb.to_linear(maps[kind][..., :3]) for kind in ("color", "albedo")}
    color = light["color"] * 0.4 + light["albedo"] * 0.6
    color = srgb.from_linear(color * 0.75 + 0.25 * np.float32(0.55))
    rough = maps["roughness"][..., 0] * 0.75 + 0.25 * 0.5
    shade = maps["occlusion"][..., 0]
    expected = {"base_color": color, "occlusion": shade, "roughness": rough, "height": maps["height"][..., 0]}
    zero, one = np.zeros_like(shade), np.ones_like(shade)
    expected["orm"] = np.stack((shade, rough, zero), -1)
    expected["mask"] = np.stack((zero, shade, one, 1 - rough), -1)
    for key, preset in presets.PRESETS.items():
        where = Path(folder) / key
        where.mkdir()
        bpy.ops.hffne.export_character(directory=str(where), preset=key, glb=False, fbx=False, usd=False, name="Ada")
        found = result[key] = {"files": sorted(path.name for path in where.iterdir()), "off": {}}
        flip = -1 if preset.directx else 1
        expected["normal"] = detail_nodes.mixed(skin) * (0.5, 0.5 * flip, 0.5) + 0.5
        for texture in presets.wanted(preset, preset.packed):
            path = where / (preset.pattern.format(name="Ada", map=preset.names[texture]) + ".png")
            values, wanted = read(path), expected[texture]
            values = values[..., 0] if wanted.ndim == 2 else values[..., : wanted.shape[-1]]
            found["off"][texture] = float(np.abs(values - wanted).max())
        facts = json.loads(next(where.glob("*.json")).read_text("utf-8"))
        found["scale"] = [(where / facts["file"]).is_file(), facts["unit"], facts["scale"]]
    result["range"] = textures.of_material(skin)["height"][textures.RANGE]
    result["as before"] = names() == before and bpy.context.object == obj and obj.select_get()
    # What the bake does not change is still there to be moved.
    result["sliders"] = find_group(skin, detail_nodes.TAG).inputs["Fine"].default_value
    return result


def case_read_back(folder):
    """A head from each format: its parts, pictures, shape keys and size. In a scene in centimeters, with a modifier."""
    start()
    bpy.context.scene.unit_settings.scale_length = 0.01
    obj = build(texture_size=64, grid=48, names=MAPS)
    units.set_size(obj, 100)
    obj.location, obj["secret"] = (5, 6, 7), "private"
    obj.modifiers.new("Mine", "SUBSURF")
    bpy.context.view_layer.update()
    result = {"size": [value / 100 for value in obj.dimensions], "vertices": len(obj.data.vertices)}
    before = names()
    result["state"] = sorted(bpy.ops.hffne.export_character(directory=folder, preset="ANY"))
    result["as before"] = names() == before and len(obj.modifiers) == 1
    secrets = (b"private", b".partial")
    held = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    result["secret"] = [name for name, data in held.items() if any(secret in data for secret in secrets)]
    for ending in ("glb", "fbx", "usd"):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        path = str(Path(folder) / f"fake.{ending}")
        if ending == "usd":
            bpy.ops.wm.usd_import(filepath=path)
        else:
            getattr(bpy.ops.import_scene, {"glb": "gltf"}.get(ending, ending))(filepath=path)
        made = next(obj for obj in bpy.data.objects if obj.type == "MESH")
        bpy.context.view_layer.update()
        fed = {}
        for material in made.data.materials:
            shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
            fed[material.name] = {
                socket.name: pictures for socket in shader.inputs if (pictures := sorted(set(behind(socket))))
            }
        corners = np.array([tuple(made.matrix_world @ vertex.co) for vertex in made.data.vertices])
        result[ending] = {
            "name": made.name,
            "size": np.ptp(corners, axis=0).tolist(),
            "middle": float(np.abs(corners.mean(axis=0)).max()),
            "keys": [key.name for key in made.data.shape_keys.key_blocks],
            "fed": fed,
        }
    return result


def behind(socket):
    """The side of each picture that an input of a shader is fed with."""
    for link in socket.links:
        node = link.from_node
        if node.type == "TEX_IMAGE":
            yield node.image.size[0]
        else:
            for own in node.inputs:
                yield from behind(own)


def case_failures(folder):
    """A mask works; links are replaced; a full disk leaves what was there, a folder that is not there nothing."""
    start()
    mask = build_mask(names=(), texture_size=64, grid=24)
    good = Path(folder) / "good"
    good.mkdir()
    victim = Path(folder) / "victim"
    victim.write_text("mine")
    (good / "fake_BaseMap.png").symlink_to(victim)
    (good / "fake.fbx").symlink_to(victim)
    result = {"mask": sorted(bpy.ops.hffne.export_character(directory=str(good), preset="UNITY"))}
    result["files"] = sorted(path.name for path in good.iterdir() if not path.is_symlink())
    result["victim"] = victim.read_text()
    before, errors = names(), []
    full = Path(folder) / "full"
    full.mkdir()
    (full / "fake.glb").write_text("mine")
    with full_disk_limit(300):
        for where in (full, Path(folder) / "nowhere"):
            try:
                bpy.ops.hffne.export_character(directory=str(where))
                errors.append("")
            except RuntimeError as error:
                errors.append(str(error))
    result["errors"], result["left"] = errors, {path.name: path.read_text() for path in full.iterdir()}
    result["as before"] = names() == before and bpy.context.object == mask
    bpy.ops.mesh.primitive_cube_add()
    result["other"] = bpy.ops.hffne.export_character.poll()
    return result


if __name__ == "__main__":
    case_process.main(globals())
