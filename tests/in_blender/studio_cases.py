# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about what is put around faces: lights, cameras, cards, and what an artist adds to them."""

from pathlib import Path

import bpy
import case_process
import mathutils
import numpy as np
from case_process import choose, start
from face_scene import build, studio

import fake_face
from hffne_blender import settings
from hffne_blender.commands import roundtrip
from hffne_blender.scene import images

KINDS = ("lights", "turntable", "relight")


def press(kind):
    getattr(bpy.ops.hffne, {"lights": "add_lights", "turntable": "add_turntable", "relight": "relight_photo"}[kind])()


def names(face, kind):
    return sorted(child.name for child in face.children_recursive if child.get("hffne_studio") == kind)


def case_guests():
    """What the artist, and the face itself, have in the collections or on the objects stays when they are replaced."""
    start()
    face = build(texture_size=64, grid=24)
    result = {}
    for kind in KINDS:
        choose(face)
        press(kind)
        collection = studio(kind)[0]
        pivot = next(child for child in face.children if child.get("hffne_studio") == kind)
        bpy.ops.mesh.primitive_cube_add(location=(1, 2, 3))
        cube = bpy.context.object
        cube.name = f"Mine {kind}"
        lamp = bpy.data.objects.new(f"Lamp {kind}", bpy.data.lights.new(f"Lamp {kind}", "POINT"))
        lamp.parent, lamp.location = pivot, (0.1, 0.2, 0.3)
        # A copy of ours is the artist's, too.
        copy = pivot.children[0].copy() if kind == "lights" else None
        if copy is not None:
            collection.objects.link(copy)
            copy.location.x += 0.05
        for obj in (cube, lamp, face):
            for old in obj.users_collection:
                old.objects.unlink(obj)
            collection.objects.link(obj)
        bpy.context.view_layer.update()
        guests = [lamp, copy or lamp]
        before = [name for name in names(face, kind) if copy is None or name != copy.name]
        there = [[list(row) for row in guest.matrix_world] for guest in guests]
        counted = {block: len(getattr(bpy.data, block)) for block in ("objects", "lights", "cameras", "meshes")}
        # The copy keeps the light's data.
        counted["lights"] += copy is not None
        choose(face)
        press(kind)
        bpy.context.view_layer.update()
        result[kind] = {
            "kept": [cube.name in collection.objects, lamp.name in collection.objects, face.name in collection.objects],
            "moved": float(np.abs(np.array([guest.matrix_world for guest in guests]) - there).max()),
            "collections": len(studio(kind)),
            "replaced": names(face, kind) == before,
            "count": counted == {block: len(getattr(bpy.data, block)) for block in counted},
        }
    return result


def case_two_faces():
    """Each face has its own lights, turntable, card and camera; a copy of a face as well."""
    start()
    first, second = build(texture_size=64, grid=24), build(texture_size=64, grid=24)
    second.location.x = 0.5
    result = {}
    for kind in KINDS:
        choose(first)
        press(kind)
        before = names(first, kind)
        choose(second)
        press(kind)
        result[kind] = [names(first, kind) == before, len(names(second, kind)) == len(before)]
    choose(second)
    for child in second.children_recursive:
        child.select_set(True)
    before = {kind: names(second, kind) for kind in KINDS}
    bpy.ops.object.duplicate()
    copy = bpy.context.object
    choose(copy)
    for kind in KINDS:
        press(kind)
        result[f"copy {kind}"] = [names(second, kind) == before[kind], len(names(copy, kind)) == len(before[kind])]
    # A face that is deleted leaves no ghost behind.
    choose(copy)
    name = copy.name
    bpy.ops.object.delete()
    result["gone"] = name not in bpy.data.objects
    return result


def case_photo_view():
    """One camera for each face, where the face is now; the render's size stays unless the option changes it."""
    from bpy_extras.object_utils import world_to_camera_view

    start()
    scene, result = bpy.context.scene, {}
    faces = [build(texture_size=64, grid=24) for _ in range(2)]
    faces[1].location.x = 1
    for face in [*faces, faces[0]]:
        choose(face)
        bpy.ops.hffne.view_photo()
        result.setdefault("cameras", []).append(scene.camera.name)
    result["count"] = len(bpy.data.cameras)
    result["size"] = [scene.render.resolution_x, scene.render.resolution_y]

    width, height = fake_face.PHOTO_SIZE
    points = np.array([vertex.co for vertex in faces[0].data.vertices])
    turn, crop = fake_face.rotation(), fake_face.CROP
    place = [
        crop[f"center_{axis}"] + ((c + sign * fake_face.SCALE * (points @ turn[row]) + 0.5) / 256 - 0.5) * crop["side"]
        for axis, c, sign, row in (("x", fake_face.CENTER[0], 1, 0), ("y", fake_face.CENTER[1], -1, 1))
    ]

    def off():
        """Photo pixels between where a vertex is on the photo and where the camera shows it in the photo's frame."""
        bpy.context.view_layer.update()
        face, (x, y) = faces[0], (scene.render.resolution_x, scene.render.resolution_y)
        shown = np.array(
            [world_to_camera_view(scene, scene.camera, face.matrix_world @ v.co) for v in face.data.vertices]
        )
        # The photo lies in the middle of the render, as large as it fits.
        fit = min(x / width, y / height)
        across, down = (shown[:, 0] - 0.5) * x / fit + width / 2, (0.5 - shown[:, 1]) * y / fit + height / 2
        return float(np.hypot(across - place[0], down - place[1]).max())

    result["off"] = [off()]
    # The face goes on, and its camera with it; pressed again after scaling, it fits again.
    faces[0].location, faces[0].rotation_euler = (3, -2, 1), (0.3, 0.2, -1)
    result["off"].append(off())
    faces[0].scale = (4, 4, 4)
    scene.render.resolution_x, scene.render.resolution_y = 400, 900
    bpy.context.view_layer.update()
    bpy.ops.hffne.view_photo()
    result["off"].append(off())
    bpy.ops.hffne.view_photo(match_size=True)
    result["matched"] = [scene.render.resolution_x, scene.render.resolution_y]
    result["off"].append(off())
    return result


def case_turntable(folder):
    start()
    build()
    bpy.ops.hffne.add_lights(preset="SOFT")
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = 333
    try:
        bpy.ops.hffne.render_turntable(directory=folder)
    except RuntimeError as error:
        result = {"without": str(error)}
    result["added"] = list(bpy.ops.hffne.add_turntable(frames=8, sweep=np.radians(100)))
    result["frames"] = [scene.frame_start, scene.frame_end]
    name, scene.camera = scene.camera.name, None
    before = [scene.render.filepath, scene.render.resolution_x, scene.frame_current, scene.frame_step, scene.camera]
    result["state"] = list(bpy.ops.hffne.render_turntable(directory=folder, step=2, size=48, samples=1))
    after = [scene.render.filepath, scene.render.resolution_x, scene.frame_current, scene.frame_step, scene.camera]
    result["kept"] = before == after
    pictures = []
    for path in sorted(Path(folder).iterdir()):
        result.setdefault("files", []).append(path.name)
        pictures.append(images.values(bpy.data.images.load(str(path)))[..., :3])
    result["size"] = list(pictures[0].shape[:2])
    result["lit"] = float(pictures[0].max() - pictures[0].min())
    # Frames 1 and 3 look from the one side, 5 and 7 from the other.
    result["sides"] = float(np.abs(pictures[0] - pictures[2]).mean())
    result["same side"] = float(np.abs(pictures[0] - pictures[1]).mean())
    bpy.ops.hffne.add_turntable(frames=8)
    result["again"] = [len(studio("turntable")), len(bpy.data.cameras), scene.camera.name == name]
    # The folder of the last time is not taken again.
    for number, values in enumerate(({}, {"directory": str(Path(folder) / "nowhere")})):
        try:
            bpy.ops.hffne.render_turntable(**values)
            result[f"folder {number}"] = ""
        except RuntimeError as error:
            result[f"folder {number}"] = str(error)
    bake, turn = (
        operator.get_rna_type().properties for operator in (bpy.ops.hffne.bake, bpy.ops.hffne.render_turntable)
    )
    result["skipped"] = [bake["target"].is_skip_save, bake["cage"].is_skip_save, turn["directory"].is_skip_save]
    return result


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


def case_scene_settings():
    """The scene's own camera and frames come back, but not over what the artist has changed since."""
    start()
    face, scene = build(texture_size=64, grid=24), bpy.context.scene
    face.name = "Ada"
    own = bpy.data.objects.new("Own", bpy.data.cameras.new("Own"))
    scene.collection.objects.link(own)
    scene.camera, scene.frame_start, scene.frame_end = own, 10, 40

    def now():
        return [scene.camera.name if scene.camera else None, scene.frame_start, scene.frame_end]

    def press(name, **values):
        choose(face)
        getattr(bpy.ops.hffne, name)(**values)
        return now()

    result = {"poll": [bpy.ops.hffne.restore_scene.poll()]}
    result["turn"] = [press("add_turntable", frames=8), press("view_photo"), press("add_turntable", frames=12)]
    result["poll"].append(bpy.ops.hffne.restore_scene.poll())
    result["restored"] = press("restore_scene")
    result["poll"].append(bpy.ops.hffne.restore_scene.poll())
    press("add_turntable", frames=8)
    scene.frame_end = 99
    result["changed"] = press("restore_scene")
    scene.camera = None
    press("view_photo")
    result["none"] = press("restore_scene")
    # What another file may bring along.
    press("add_turntable", frames=8)
    for text in ("[1]", '{"camera": 3, "frames": "x", "given": [1, 8]}', '{"frames": [1e99, 2], "given": [1, 8]}'):
        scene["hffne_own_settings"] = text
        result.setdefault("hostile", []).append(bpy.ops.hffne.restore_scene.poll())
    for kind in KINDS:
        press({"lights": "add_lights", "turntable": "add_turntable", "relight": "relight_photo"}[kind])
    result["names"] = sorted(obj.name for obj in scene.objects if obj.get("hffne_studio"))
    result["collections"] = [
        [other.name, len(other.objects)] for other in scene.collection.children if other.get("hffne_studio")
    ]
    # As long as Blender allows: the lights still replace one another.
    face.name = "顔" * 21
    lights = [press("add_lights", preset="SOFT") and len(names(face, "lights")) for _ in range(2)]
    result["long"] = lights
    return result


def case_camera_view():
    """Views after the photo's camera: [perspective, how far it has turned from the view before] of a viewport."""
    start()
    face, scene = build(texture_size=64, grid=24), bpy.context.scene
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region, view = next(r for r in area.regions if r.type == "WINDOW"), area.spaces.active.region_3d
    own = bpy.data.objects.new("Own", bpy.data.cameras.new("Own"))
    scene.collection.objects.link(own)
    before = mathutils.Euler((1, 0, 0.5)).to_quaternion()

    def now():
        return [view.view_perspective, view.view_rotation.rotation_difference(before).angle]

    def press(name):
        choose(face)
        with bpy.context.temp_override(window=window, area=area, region=region):
            getattr(bpy.ops.hffne, name)()
        return now()

    result = {}
    for name, camera, first in (("none", None, "PERSP"), ("own", own, "PERSP"), ("through own", own, "CAMERA")):
        scene.camera, view.view_perspective, view.view_rotation = camera, "PERSP", before
        view.view_perspective = first
        result[name] = [press("view_photo"), press("restore_scene")]
    # Gone into the turntable's view by oneself, where the scene has no camera of its own.
    scene.camera, view.view_perspective, view.view_rotation = None, "PERSP", before
    press("add_turntable")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.view3d.view_camera()
    result["by oneself"] = [now(), press("restore_scene")]
    return result


if __name__ == "__main__":
    case_process.main(globals())
