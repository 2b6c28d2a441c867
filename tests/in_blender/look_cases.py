# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases, as in blender_cases.py, about a face's maps, sliders, bakes and lights."""

import json
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS.parent)]

import bpy
import numpy as np

import fake_face
import hffne_blender
from hffne_blender import settings
from hffne_blender.commands import roundtrip
from hffne_blender.numeric import tangent
from hffne_blender.numeric.received_face import ReceivedFace
from hffne_blender.scene import detail_nodes, face, generated_maps, images, mesh, mesh_arrays, skin_nodes, textures
from hffne_blender.scene.nodes import find_node

ALL = ("albedo", "bands", "height", "curvature", "occlusion", "roughness", "relight")


def start():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    hffne_blender.register()


def build(names=ALL, texture_size=256, grid=48):
    made = ReceivedFace.from_answer(*fake_face.answer(texture_size=texture_size, grid=grid, names=names))
    obj = face.build(made, bpy.context.scene.collection)
    bpy.context.view_layer.objects.active = obj
    obj.select_set(True)
    return obj


def angle_to(obj, ripple, size=160, columns=slice(None)):
    normal, covered = roundtrip.rendered_normals(obj, size, samples=4)
    expected, seen = fake_face.predicted(size, ripple)
    both = np.zeros_like(seen)
    both[:, columns] = (covered & seen)[:, columns]
    return float(roundtrip.angles(normal[both], expected[both]).mean())


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


def case_sliders(path):
    start()
    obj = build(texture_size=512, grid=96)
    result = {"as sent": angle_to(obj, 0.3)}
    bpy.ops.hffne.set_detail(fine=0)
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

    result = {"as sent": off(tangent.to_tangent_space(frames, arrays["normal"]))}
    node.inputs["Fine"].default_value = 0
    points = fake_face.surface(u, v)
    result["medium"] = off(tangent.to_tangent_space(frames, fake_face.normals(points, 0.15)))
    node.inputs["Smoothing"].default_value = 1
    result["coarse"] = off(tangent.to_tangent_space(frames, fake_face.normals(points, 0.05)))
    node.inputs["Strength"].default_value = 0
    result["flat"] = float(np.abs(detail_nodes.mixed(skin) - (0, 0, 1)).max())
    back = tangent.to_object_space(frames, tangent.to_tangent_space(frames, arrays["normal"]))
    result["back"] = float(np.percentile(roundtrip.angles(back, arrays["normal"])[inside], 95))
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
    for name, values in (("relief", {"relief": "DISPLACEMENT"}), ("delit", {"delit": 0.5, "strength": 0.1})):
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
            result["files"] = sorted(path.stem for path in where.iterdir())
            read = {}
            for path in where.iterdir():
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
            if ending != "exr":
                height = (height * 2 - 1) * 0.0015
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


def full_disk(folder, file_format):
    """(error, files left) of an export where the system refuses to write more than the first few rows."""
    if sys.platform == "win32":
        return ["could not be written", []]
    import resource

    folder = folder / f"full {file_format}"
    folder.mkdir()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        bpy.ops.hffne.export_maps(directory=str(folder), file_format=file_format)
        error = ""
    except RuntimeError as caught:
        error = str(caught)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    return [error, [path.name for path in folder.iterdir()]]


def low_poly(pose=None):
    """A mesh of its own over the fake face: few faces, other UVs, another place for its origin, and turned."""
    from mathutils import Matrix

    _message, arrays = fake_face.answer(texture_size=16, grid=20)
    u, v = arrays["uvs"].T
    # A turn of the layout by 90 degrees, on a part of the square.
    uvs = np.stack([0.05 + 0.8 * (1 - v), 0.1 + 0.7 * u], 1).astype(np.float32)
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


def choose(obj):
    for other in bpy.context.selected_objects:
        other.select_set(False)
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj


def studio(kind):
    """The collections of one kind, and what is in the file of lights, cameras and empties."""
    return [other for other in bpy.context.scene.collection.children if other.get("hffne_studio") == kind]


def case_lights():
    start()
    obj = build()
    obj.location, obj.rotation_euler, obj.scale = (1, 2, 3), (0.3, -0.2, 1.0), (2, 2, 2)
    bpy.context.view_layer.update()
    scene, result = bpy.context.scene, {}
    bpy.ops.ed.undo_push(message="before")
    for preset in ("SOFT", "REMBRANDT", "BUTTERFLY", "SPLIT", "RIM", "RAKING"):
        bpy.ops.hffne.add_lights(preset=preset, grazing=np.radians(70), frames=40)
        bpy.context.view_layer.update()
        found = studio("lights")
        lights = [other for other in found[0].all_objects if other.type == "LIGHT"]
        result[preset] = [len(found), len(lights), len(bpy.data.lights) - len(lights)]
    from mathutils import Vector

    center = obj.matrix_world @ Vector(np.array([list(corner) for corner in obj.bound_box]).mean(0))
    forward = obj.matrix_world.to_3x3() @ Vector((0, -1, 0))
    light = lights[0]
    around = []
    for frame in (0, 10, 20, 30):
        scene.frame_set(frame)
        toward = light.matrix_world.translation - center
        around.append(toward.normalized())
        aim = light.matrix_world.to_3x3() @ Vector((0, 0, -1))
        result.setdefault("grazing", []).append(float(np.degrees(toward.angle(forward))))
        result.setdefault("aim", []).append(float(np.degrees(aim.angle(-toward))))
    result["opposite"] = float(np.degrees(around[0].angle(around[2])))
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    result["undone"] = [len(studio("lights")), len(bpy.data.objects)]
    bpy.ops.ed.redo()
    result["redone"] = [len(studio("lights")), len(bpy.data.objects)]
    return result


def case_panels():
    """What the panels offer for a face, for its relit photo, and for neither."""
    from types import SimpleNamespace

    from blender_cases import Layout

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
    bpy.context.view_layer.objects.active = bpy.data.objects["Drag Me"]
    draw("light")
    return result


def case_relight(path):
    start()
    build()
    scene = bpy.context.scene
    state = bpy.ops.hffne.relight_photo(light=(-0.2, -0.25, 0.1))
    bpy.ops.hffne.relight_photo(light=(-0.2, -0.25, 0.1))
    result = {"state": list(state), "cards": len(studio("relight")), "groups": len(bpy.data.node_groups)}
    card = next(other for other in studio("relight")[0].objects if other.type == "MESH")
    sent = fake_face.maps(["relight"], 64)
    side = 256 / fake_face.SCALE
    at = ((np.arange(128) + 0.5) / 128 - 0.5) * side
    x, z = np.meshgrid(at, -at)
    normal = sent["photo_normal"]
    normal = np.stack([normal[..., 0], -normal[..., 2], normal[..., 1]], -1)
    mask = sent["photo_mask"][..., None] / 255
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in
              (sent["photo_color"] / 255, sent["photo_albedo"] / 255)]  # fmt: skip

    def expected(light, ambient, strength, surroundings):
        toward = np.array(light) - np.stack([x, 0 * x, z], -1)
        toward /= np.linalg.norm(toward, axis=2, keepdims=True)
        lit = np.maximum((normal * toward).sum(-1, keepdims=True), 0)
        return linear[0] * surroundings * (1 - mask) + linear[1] * (ambient + strength * lit) * mask

    def rendered():
        view = bpy.data.objects.get("view") or bpy.data.objects.new("view", bpy.data.cameras.new("view"))
        if not view.users_collection:
            scene.collection.objects.link(view)
        card = next(other for other in studio("relight")[0].objects if other.type == "MESH")
        view.location, view.rotation_euler = card.location, (np.pi / 2, 0, 0)
        view.location.y -= 1
        view.data.type, view.data.ortho_scale = "ORTHO", side
        scene.camera = view
        for other in bpy.data.objects:
            other.hide_render = other.type == "MESH" and other != card
        roundtrip.set_up(scene, 128, 4)
        scene.view_settings.view_transform = "Raw"
        return roundtrip.render_pixels(scene)[..., :3]

    def off(wanted):
        error = np.abs(rendered() - wanted).max(2)
        # Beside the mask's edge the render interpolates.
        row, column = np.gradient(mask[..., 0])
        return float(np.percentile(error[(row == 0) & (column == 0)], 95))

    light = next(other for other in studio("relight")[0].objects if other.type == "EMPTY")
    from hffne_blender.studio import relight

    node = relight.find_node(card)
    node.inputs["Gloss"].default_value = 0
    result["left"] = off(expected((-0.2, -0.25, 0.1), 0.15, 1, 0.15))
    light.location = (0.3, -0.1, -0.2)
    node.inputs["Strength"].default_value = 2
    result["dragged"] = off(expected((0.3, -0.1, -0.2), 0.15, 2, 0.15))
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    scene = bpy.context.scene
    result["reopened"] = off(expected((0.3, -0.1, -0.2), 0.15, 2, 0.15))
    # What the defaults of the panel make.
    bpy.context.view_layer.objects.active = build(names=[name.lower() for name in settings.DEFAULT_MAPS])
    try:
        bpy.ops.hffne.relight_photo()
        result["without"] = ""
    except RuntimeError as error:
        result["without"] = str(error)
    return result


if __name__ == "__main__":
    answer = globals()[f"case_{sys.argv[1]}"](*sys.argv[2:])
    hffne_blender.unregister()
    print("RESULT " + json.dumps(answer, default=float), flush=True)
