# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about a face's maps: what the images hold, what the sliders make of them, and their export."""

import contextlib
import json
import sys
from pathlib import Path

import bpy
import case_process
import numpy as np
from case_process import start
from face_scene import ALL, build

import fake_face
from hffne_blender.commands import roundtrip
from hffne_blender.numeric import tangent
from hffne_blender.numeric.png import decode_normal
from hffne_blender.scene import detail_nodes, images, mesh, mesh_arrays, skin_nodes, textures
from hffne_blender.scene.nodes import find_node


def case_images():
    start()
    obj = build()
    skin = obj.data.materials[0]
    found = {}
    for kind, image in textures.of_material(skin).items():
        found[kind] = [
            image.name, image.size[0], image.is_float, image.colorspace_settings.name, image.get(textures.RANGE)
        ]  # fmt: skip
    height = images.values(textures.of_material(skin)["height"])[..., 0]
    extent = textures.of_material(skin)["height"][textures.RANGE]
    sent = fake_face.maps(["height"], 256)["height"]
    surface = find_node(skin, bpy.types.ShaderNodeBsdfPrincipled)
    fed = {socket.name: socket.links[0].from_node.type for socket in surface.inputs if socket.is_linked}
    return {
        "images": found,
        "height error": float(np.abs((height * 2 - 1) * extent - sent).max()),
        "fed": fed,
        "subsurface": skin_nodes.find_node(skin).inputs["Subsurface"].default_value,
        "photo": sorted(key for key in obj.keys() if key.startswith("hffne_photo")),
    }


def case_mixed():
    """The sliders with numpy are the sliders of the shader."""
    start()
    obj = build(texture_size=256, grid=64)
    skin, base = obj.data.materials[0], obj.data
    node = detail_nodes.find_node(skin)
    arrays = fake_face.answer(texture_size=256, names=["bands"])[1]
    texel = (np.arange(256) + 0.5) / 256
    u, v = np.meshgrid(texel, 1 - texel)
    inside = np.hypot(u - 0.52, v - 0.47) < 0.44

    frames = mesh_arrays.corner_frames(base, mesh.UV_NAME)

    def off(expected):
        return float(np.percentile(roundtrip.angles(detail_nodes.mixed(skin), expected)[inside], 95))

    points = fake_face.surface(u, v)
    # In float, as no step on the way from the engine is.
    result = {"as sent": off(tangent.to_tangent_space(frames, fake_face.normals(points)))}
    node.inputs["Synthetic Pores"].default_value = 1
    result["pores"] = off(tangent.to_tangent_space(frames, fake_face.normals(points, 0.4)))
    node.inputs["Synthetic Pores"].default_value = 0
    node.inputs["Fine"].default_value = 0
    result["medium"] = off(tangent.to_tangent_space(frames, fake_face.normals(points, 0.15)))
    node.inputs["Smoothing"].default_value = 1
    result["coarse"] = off(tangent.to_tangent_space(frames, fake_face.normals(points, 0.05)))
    node.inputs["Strength"].default_value = 0
    result["flat"] = float(np.abs(detail_nodes.mixed(skin) - (0, 0, 1)).max())
    back = tangent.to_object_space(frames, tangent.to_tangent_space(frames, arrays["normal"]))
    result["back"] = float(np.percentile(roundtrip.angles(back, decode_normal(arrays["normal"]))[inside], 95))
    return result


def case_export(folder):
    start()
    build()
    skin = bpy.data.objects["fake"].data.materials[0]
    sent = fake_face.answer(texture_size=256, names=ALL)[1]
    result = {"worst": {}, "depth": {}}
    for file_format, ending in (("PNG", "png"), ("OPEN_EXR", "exr"), ("TIFF", "tif")):
        for convention in ("OPENGL", "DIRECTX"):
            where = Path(folder) / f"{file_format}_{convention}"
            where.mkdir()
            bpy.ops.hffne.export_maps(directory=str(where), file_format=file_format, convention=convention)
            pictures = [path for path in where.iterdir() if path.suffix != ".json"]
            result["files"] = sorted(path.stem for path in pictures)
            scales = {path.name: json.loads(path.read_text("utf-8")) for path in where.glob("*.json")}
            result.setdefault("scales", []).append(sorted(scales))
            read = {}
            for path in pictures:
                image = bpy.data.images.load(str(path))
                image.colorspace_settings.name = "Non-Color"
                read[path.stem.split("_")[-1]] = images.values(image)[..., :3]
                result["depth"][path.name] = image.is_float
            code = read["normal"] * 2 - 1
            if convention == "DIRECTX":
                code[..., 1] *= -1
            errors = {"normal": np.abs(code - detail_nodes.mixed(skin)).max()}
            codes = sent["albedo"] / 255
            linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
            errors["albedo"] = np.abs(read["albedo"] - (linear if ending == "exr" else codes)).max()
            height = read["height"][..., 0]
            facts = scales["fake_height.json"]
            result["named"] = (where / facts["file"]).is_file() and facts["unit"] == "m"
            height = (height - facts["middle"]) * facts["scale"]
            errors["height"] = np.abs(height - sent["height"]).max() / 0.0015
            result["worst"][f"{ending} {convention}"] = {name: float(value) for name, value in errors.items()}
    result["left"] = [image.name for image in bpy.data.images if image.name.startswith("HFFNE")] + [
        scene.name for scene in bpy.data.scenes if scene.name.startswith("HFFNE")
    ]
    for name, values in (
        ("no folder", {"directory": str(Path(folder) / "nowhere")}),
        ("no map", {"directory": folder, "maps": set()}),
    ):
        try:
            bpy.ops.hffne.export_maps(**values)
            result[name] = ""
        except RuntimeError as error:
            result[name] = str(error)
    result["full disk"] = {name: full_disk(Path(folder), name) for name in ("PNG", "OPEN_EXR", "TIFF")}
    return result


@contextlib.contextmanager
def full_disk_limit(size):
    """The system refuses to write more than `size` bytes of a file."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def full_disk(folder, file_format):
    """(error, files left) of an export where the system refuses to write more than the first few rows."""
    if sys.platform == "win32":
        return ["could not be written", []]
    folder = folder / f"full {file_format}"
    folder.mkdir()
    with full_disk_limit(5000):
        try:
            bpy.ops.hffne.export_maps(directory=str(folder), file_format=file_format)
            error = ""
        except RuntimeError as caught:
            error = str(caught)
    return [error, [path.name for path in folder.iterdir()]]


if __name__ == "__main__":
    case_process.main(globals())
