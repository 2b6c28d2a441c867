# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Blender tests do inside Blender: `python blender_cases.py CASE [ARGUMENT...]` prints JSON.

Each case has a process of its own, because bpy and torch in one process disturb each
other, and because a case must not find what another one left.
"""

import json
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS.parent)]

import contextlib

import bpy
import numpy as np

import fake_face
import hffne_blender
from hffne_blender.commands import roundtrip
from hffne_blender.engine import session
from hffne_blender.numeric import received_face, tangent
from hffne_blender.numeric.png import png_bytes
from hffne_blender.numeric.received_face import ReceivedFace
from hffne_blender.scene import camera, face, images, material, mesh, mesh_arrays
from hffne_blender.scene.nodes import find_node
from hffne_blender.system import jobs

BLOCKS = ("objects", "meshes", "images", "materials")


def empty():
    bpy.ops.wm.read_factory_settings(use_empty=True)


def counts():
    return {kind: len(getattr(bpy.data, kind)) for kind in BLOCKS}


def build_fake(texture_size=512, grid=96, **more):
    made = ReceivedFace.from_answer(*fake_face.answer(texture_size=texture_size, grid=grid))
    return face.build(made, bpy.context.scene.collection, **more)


def angle(obj, size=384):
    normal, covered = roundtrip.rendered_normals(obj, size, samples=8)
    expected, seen = fake_face.predicted(size)
    both = covered & seen
    error = roundtrip.angles(normal[both], expected[both])
    return {"mean": float(error.mean()), "p95": float(np.percentile(error, 95)), "seen": both.sum() / seen.sum()}


def case_object():
    empty()
    obj = build_fake()
    base = obj.data
    points = np.array([vertex.co for vertex in base.vertices])
    outward = np.array([polygon.normal for polygon in base.polygons]) * np.array([p.center for p in base.polygons])
    normal_map = find_node(obj.data.materials[0], bpy.types.ShaderNodeNormalMap)
    groups = {group.name: group.index for group in obj.vertex_groups}
    forehead = [
        any(entry.group == groups["forehead"] and entry.weight > 0.99 for entry in vertex.groups)
        for vertex in base.vertices
    ]
    forehead_by_formula = points[:, 2] > 0.03
    return {
        "corners": sorted({len(polygon.vertices) for polygon in base.polygons}),
        "smooth": all(polygon.use_smooth for polygon in base.polygons),
        "outward": bool((outward.sum(1) > 0).all()),
        "size": list(obj.dimensions),
        "forward": float(points[:, 1].min()),
        "uv": base.uv_layers.active.name,
        "normal_map": [normal_map.space, normal_map.uv_map],
        "groups": sorted(groups),
        "forehead": bool((np.array(forehead) == forehead_by_formula).all()),
        "camera": camera.load(obj),
        "images": {
            image.name: [image.size[0], image.is_float, image.colorspace_settings.name, bool(image.packed_file)]
            for image in bpy.data.images
        },
        "active": obj.data.materials[0].node_tree.nodes.active.label,
        "users": [obj.data.users, obj.data.materials[0].users],
    }


def case_round_trip():
    empty()
    return angle(build_fake())


def case_round_trip_of_a_moved_object():
    empty()
    obj = build_fake()
    obj.location, obj.rotation_euler, obj.scale = (3, -2, 5), (0.4, -0.9, 2.0), (7, 7, 7)
    bpy.context.view_layer.update()
    return angle(obj)


def case_round_trip_of_a_coarse_mesh():
    empty()
    return angle(build_fake(grid=32))


def case_round_trip_after_saving(path):
    empty()
    build_fake()
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    return angle(next(obj for obj in bpy.data.objects if camera.load(obj)))


def case_round_trip_sees_mistakes():
    """Each of the classic mistakes, made on purpose."""
    empty()
    result = {}
    for mistake in ("green flipped", "color space", "uv mirrored", "axes swapped", "object space"):
        message, arrays = fake_face.answer(texture_size=512, grid=96)
        if mistake == "axes swapped":
            arrays["normal"] = np.ascontiguousarray(arrays["normal"][..., [0, 2, 1]])
        if mistake == "uv mirrored":
            arrays["normal"] = np.ascontiguousarray(arrays["normal"][:, ::-1])
        obj = face.build(ReceivedFace.from_answer(message, arrays), bpy.context.scene.collection)
        image = next(node.image for node in obj.data.materials[0].node_tree.nodes if node.label == "Normal")
        if mistake == "green flipped":
            pixels = np.empty(512 * 512 * 4, np.float32)
            image.pixels.foreach_get(pixels)
            pixels[1::4] = 1 - pixels[1::4]
            image.pixels.foreach_set(pixels)
        if mistake == "color space":
            image.colorspace_settings.name = "sRGB"
        if mistake == "object space":
            find_node(obj.data.materials[0], bpy.types.ShaderNodeNormalMap).space = "OBJECT"
        result[mistake] = angle(obj)["mean"]
        bpy.data.objects.remove(obj)
    return result


def case_photo_camera():
    """The face's corner points as both cameras see them, against the engine's own projection."""
    empty()
    obj = build_fake(grid=32)
    from bpy_extras.object_utils import world_to_camera_view

    points = np.array([vertex.co for vertex in obj.data.vertices])
    turn = fake_face.rotation()
    crop_x = fake_face.CENTER[0] + fake_face.SCALE * (points @ turn[0])
    crop_y = fake_face.CENTER[1] - fake_face.SCALE * (points @ turn[1])
    crop, (width, height) = fake_face.CROP, fake_face.PHOTO_SIZE
    photo_x = crop["center_x"] + ((crop_x + 0.5) / 256 - 0.5) * crop["side"] - 0.5
    photo_y = crop["center_y"] + ((crop_y + 0.5) / 256 - 0.5) * crop["side"] - 0.5
    scene = bpy.context.scene
    worst = {}
    for frame, size, x, y in (("CROP", (256, 256), crop_x, crop_y), ("PHOTO", (width, height), photo_x, photo_y)):
        view = camera.photo_camera(obj, frame)
        scene.collection.objects.link(view)
        scene.render.resolution_x, scene.render.resolution_y = size
        bpy.context.view_layer.update()
        seen = np.array([world_to_camera_view(scene, view, vertex.co) for vertex in obj.data.vertices])
        error = np.hypot(seen[:, 0] * size[0] - 0.5 - x, (1 - seen[:, 1]) * size[1] - 0.5 - y)
        worst[frame] = float(error.max())
    return worst


def case_bad_assets():
    """Every wrong answer is refused, and nothing of it stays."""
    empty()
    before = counts()
    said = {}
    for name, change in {
        "missing": lambda message, arrays: arrays.pop("uvs"),
        "index": lambda message, arrays: arrays["quads"].__setitem__((0, 0), 10**6),
        "nan": lambda message, arrays: arrays["vertices"].__setitem__((0, 0), np.nan),
        "shape": lambda message, arrays: arrays.update(color=arrays["color"][:10]),
        "dtype": lambda message, arrays: arrays.update(uvs=arrays["uvs"].astype(np.int32)),
        "camera": lambda message, arrays: message["camera"].pop("scale"),
    }.items():
        message, arrays = fake_face.answer(texture_size=32, grid=16)
        change(message, arrays)
        try:
            face.build(ReceivedFace.from_answer(message, arrays), bpy.context.scene.collection)
            said[name] = ""
        except received_face.ReceivedFaceError as error:
            said[name] = str(error)
    # And when Blender itself fails half way.
    kept = material.build_material
    material.build_material = lambda *_: 1 / 0
    try:
        build_fake(texture_size=32, grid=16)
        said["half way"] = ""
    except ZeroDivisionError as error:
        said["half way"] = str(error)
    finally:
        material.build_material = kept
    return {"said": said, "left": counts() == before}


def case_slices():
    """A face built as the operator's timer builds it: what is in the file between the slices, and how long they are."""
    empty()
    before = counts()
    scene = bpy.context.scene

    def drive(stop_after=None):
        made = ReceivedFace.from_answer(*fake_face.answer(texture_size=1024, grid=128))
        work = jobs.Steps(face.build_steps(made, lambda: scene.collection))
        seconds, clean = [], True
        while not work.over:
            start = time.thread_time()
            work.advance()
            seconds.append(time.thread_time() - start)
            if not work.over:
                clean &= counts() == before
            if len(seconds) == stop_after:
                work.cancel()
            time.sleep(0.02)
        return clean, work, seconds

    result = {"cancelled": []}
    for stop_after in (1, 2, 3):
        clean, work, _ = drive(stop_after)
        result["cancelled"].append([clean, work.cancelled, counts() == before])
    clean, work, seconds = drive()
    result["whole"] = [clean, work.result.name, counts()["objects"] - before["objects"]]
    start = time.process_time()
    at_once = build_fake(texture_size=1024, grid=128)
    result["longest"] = max(seconds) / (time.process_time() - start)
    # Blender's own tangents differ in their last bit from one call to the next.
    pairs = zip(pixels_of(work.result), pixels_of(at_once))
    result["unlike at once"] = max(float(np.abs(one - other).max()) for one, other in pairs)
    return result


def pixels_of(obj):
    nodes = obj.data.materials[0].node_tree.nodes
    return [images.values(node.image) for node in nodes if node.type == "TEX_IMAGE"]


def case_png(path):
    """What Blender reads from our PNG is what went in."""
    empty()
    generator = np.random.default_rng(4)
    deep = generator.integers(0, 65536, (13, 29, 3)).astype(np.uint16)
    flat = generator.integers(0, 256, (13, 29, 3)).astype(np.uint8)
    # Large enough for several blocks of the packer.
    large = (np.add.outer(np.arange(700), np.arange(500) ** 2)[..., None] * (1, 3, 7) % 65536).astype(np.uint16)
    worst = {}
    for name, pixels, most in (("deep", deep, 65535), ("flat", flat, 255), ("large", large, 65535)):
        image = images.pack(name, png_bytes(pixels), "Non-Color")
        images.write_packed(image, path)
        for source, read in (("packed", image), ("file", bpy.data.images.load(path))):
            if source == "file":
                read.colorspace_settings.name = "Non-Color"
            values = np.empty(pixels.shape[0] * pixels.shape[1] * 4, np.float32)
            read.pixels.foreach_get(values)
            values = values.reshape(*pixels.shape[:2], 4)[::-1, :, :3] * most
            worst[f"{name} {source}"] = float(np.abs(values - pixels).max())
    return worst


def case_margin():
    """Beyond an island's rim the normal map goes on as inside, then it is flat."""
    empty()
    made = ReceivedFace.from_answer(*fake_face.answer(texture_size=256, grid=64))
    base = mesh.build_mesh("margin", made.vertices, made.quads, made.uvs)
    local = tangent.to_tangent_space(mesh_arrays.corner_frames(base, mesh.UV_NAME), made.normal)
    texel = (np.arange(256) + 0.5) / 256
    u, v = np.meshgrid(texel, 1 - texel)
    distance = np.hypot(u - 0.52, v - 0.47) - 0.46
    flat = np.all(local == (0, 0, 1), axis=2)
    return {
        "unit": float(np.abs(np.linalg.norm(local, axis=2) - 1).max()),
        "near is flat": float(flat[(distance > 0) & (distance < 6 / 256)].mean()),
        "far is flat": float(flat[distance > 40 / 256].mean()),
    }


def case_operator(python, photo):
    empty()
    hffne_blender.register()
    bpy.context.scene.cursor.location = (1, 2, 3)
    result = {"before": counts()}
    told = []
    session.state.progress_listeners.append(lambda task: told.append(task.progress))
    arguments = {"photo": photo, "engine_python": python, "texture_size": "512", "grid": "32"}
    result["state"] = list(bpy.ops.hffne.generate(**arguments))
    result["after"] = counts()
    result["progress"] = list(told)
    obj = bpy.context.object
    result["active"] = [obj.name, obj.select_get(), list(obj.location), len(obj.data.vertices)]
    # The same again without colors needs no engine.
    bpy.ops.hffne.generate(**arguments, color=False)
    labels = {node.label for node in bpy.context.object.data.materials[0].node_tree.nodes}
    result["redone"] = [told == result["progress"], "Normal" in labels, "Color" in labels]
    bpy.ops.hffne.view_photo()
    result["view"] = [bpy.context.scene.camera.data.type, bpy.context.scene.render.resolution_x]
    hffne_blender.unregister()
    return result


def case_shown(python, photo):
    """Where faces of one place go, and what of the user's work they leave alone: selection, active object, mode."""
    empty()
    hffne_blender.register()
    arguments = {"photo": photo, "engine_python": python, "texture_size": "512", "grid": "32"}
    scene, result = bpy.context.scene, {}
    scene.cursor.location = (1, 2, 3)
    bpy.ops.mesh.primitive_cube_add(location=(1, 2, 3))
    cube = bpy.context.object
    for _ in range(3):
        bpy.ops.hffne.generate(**arguments)
        result.setdefault("places", []).append([round(value, 4) for value in bpy.context.object.location])
    result["selected"] = [obj.name for obj in bpy.context.selected_objects] == [bpy.context.object.name]

    # As a window's timer ends the work, when the user has gone on with something else.
    from hffne_blender.operators.bases import placement

    before = placement.user_state(bpy.context)

    def finish():
        new = build_fake(texture_size=64, grid=24)
        had = [bpy.context.object.name, bpy.context.mode, sorted(obj.name for obj in bpy.context.selected_objects)]
        same = placement.collection(bpy.context) == scene.collection
        placement.place(bpy.context, new, before)
        now = [bpy.context.object.name, bpy.context.mode, sorted(obj.name for obj in bpy.context.selected_objects)]
        return [same, now == had, bpy.context.object == new]

    for obj in bpy.context.selected_objects:
        obj.select_set(False)
    cube.select_set(True)
    bpy.context.view_layer.objects.active = cube
    result["other selection"] = finish()
    before = placement.user_state(bpy.context)
    bpy.ops.object.mode_set(mode="EDIT")
    result["edit mode"] = finish()
    bpy.ops.object.mode_set(mode="OBJECT")
    result["waited"] = finish()
    hffne_blender.unregister()
    return result


def case_operator_errors(python, folder):
    empty()
    hffne_blender.register()
    before = counts()
    result = {}
    for name in ("no_face", "die", "broken", "missing"):
        photo = Path(folder) / f"{name}.jpg"
        if name != "missing":
            photo.write_bytes(b"the fake engine does not look inside")
        try:
            bpy.ops.hffne.generate(photo=str(photo), engine_python=python)
            result[name] = ["", ""]
        except RuntimeError as error:
            result[name] = [session.state.last_error["code"], str(error)]
    try:
        bpy.ops.hffne.generate(photo=str(Path(folder) / "no_face.jpg"))
    except RuntimeError as error:
        result["not set"] = [session.state.last_error["code"], str(error)]
    result["left"] = counts() == before
    hffne_blender.unregister()
    return result


class Layout:
    """Writes down what a panel draws."""

    def __init__(self, drawn):
        self.drawn = drawn

    def __getattr__(self, name):
        def call(*args, **named):
            what = [name, *[arg for arg in args if isinstance(arg, str)], *[str(value) for value in named.values()]]
            self.drawn.append(" ".join(what))
            return Layout(self.drawn)

        return call


def case_import_weights(python, good, other):
    """Files that are no checkpoints, none at all, then the pair in the right order."""
    empty()
    hffne_blender.register()
    result = []
    for files in ({}, {"exemplar": other, "refiner": good}, {"exemplar": good, "refiner": other}):
        try:
            result.append(sorted(bpy.ops.hffne.import_weights(engine_python=python, **files)))
        except RuntimeError as error:
            result.append(str(error))
    hffne_blender.unregister()
    return result


def case_panel(python, folder):
    from types import SimpleNamespace

    from hffne_blender.engine.client import Task
    from hffne_blender.ui import panel

    empty()
    hffne_blender.register()
    result = {}

    def draw(name):
        drawn = []
        for cls in (panel.HFFNE_PT_face, panel.HFFNE_PT_result):
            cls.draw(SimpleNamespace(layout=Layout(drawn)), bpy.context)
        result[name] = drawn

    draw("new")
    try:
        photo = Path(folder) / "no_face.jpg"
        photo.touch()
        bpy.ops.hffne.generate(photo=str(photo), engine_python=python)
    except RuntimeError:
        pass
    import os

    os.environ["HFFNE_ENGINE_PYTHON"] = python
    draw("failed")
    session.state.task = Task(5, "generate", progress=0.4, message="Fine normals")
    draw("running")
    session.state.task.status = "done"
    hffne_blender.unregister()
    return result


def case_report(python):
    import os

    empty()
    hffne_blender.register()
    os.environ["HFFNE_ENGINE_PYTHON"] = python
    with contextlib.suppress(RuntimeError):
        bpy.ops.hffne.generate("EXEC_DEFAULT", photo="/nowhere/of Secretname/Aunt Secretname.jpg")
    bpy.ops.hffne.write_report()
    return {"text": bpy.data.texts["HFFNE Report"].as_string()}


def case_register_twice():
    empty()
    for _ in range(2):
        hffne_blender.register()
        assert hasattr(bpy.types.Scene, "hffne") and hasattr(bpy.types, "HFFNE_OT_generate")
        hffne_blender.unregister()
    return {"gone": not hasattr(bpy.types.Scene, "hffne") and not hasattr(bpy.types, "HFFNE_OT_generate")}


def case_install(archive, python, photo):
    """The zip as a user installs it; the installed extension then does its work."""
    empty()
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    names = [name for name in bpy.context.preferences.addons.keys() if name.endswith("hffne_blender")]
    own = bpy.context.preferences.addons[names[0]].preferences
    own.engine_python = python
    bpy.ops.hffne.generate(photo=photo, texture_size="512", grid="32")
    result = {"name": names, "built": bpy.context.object.name, "idle": own.idle_minutes}
    import addon_utils

    addon_utils.disable(names[0], default_set=True)
    result["gone"] = not hasattr(bpy.types.Scene, "hffne")
    return result


def case_upgraded(archive):
    """The zip in a Blender without an engine of its own: the Python that it takes, and what the preferences draw."""
    empty()
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    module = sys.modules["bl_ext.user_default.hffne_blender"]
    drawn = []
    module.ui.engine_setup.draw(Layout(drawn), bpy.context, lambda place, words, icon: place.label(text=words))
    module.ui.engine_setup.draw_maintenance(Layout(drawn), bpy.context)
    result = {"python": module.preferences.find_python(bpy.context), "drawn": drawn}
    import addon_utils

    addon_utils.disable(module.__name__, default_set=True)
    return result


def case_half_install(archive):
    """An installation that was killed: what the panel and the preferences offer; and the choice of PyTorch's build."""
    empty()
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    module = sys.modules["bl_ext.user_default.hffne_blender"]
    own = bpy.context.preferences.addons[module.__name__].preferences
    base = Path(module.preferences.engine_folder())
    result = {}

    def draw(name):
        drawn = []
        for _ in range(50):
            if (
                not module.operators.bases.installation.half_installation(str(base))[0]
                or module.operators.bases.installation.half_installation(str(base))[1]
            ):
                break
            time.sleep(0.1)
        module.ui.engine_setup.draw(Layout(drawn), bpy.context, lambda place, words, icon: place.label(text=words))
        module.ui.engine_setup.draw_maintenance(Layout(drawn), bpy.context)
        result[name] = drawn

    draw("new")
    (base / "env" / "lib").mkdir(parents=True)
    (base / "env" / "lib" / "torch.so").write_bytes(bytes(300_000_000))
    draw("half")
    own.engine_python = sys.executable
    draw("half beside another")
    own.engine_python = ""
    own.build = "CPU"
    draw("cpu")
    own.build = "ROCM"
    result["build"] = module.preferences.engine_build(bpy.context)
    bpy.context.preferences.system.use_online_access = True
    # Far more than any disk here has, and a build that this system has not.
    module.engine.install.ROOM["rocm"] = 1e18
    for name, absent in (("room", False), ("absent", True)):
        if absent:
            module.engine.install.exists = lambda build: False
        try:
            result[name] = sorted(bpy.ops.hffne.install_engine())
        except RuntimeError as error:
            result[name] = str(error)
    result["removed"] = sorted(bpy.ops.hffne.remove_engine())
    result["left"] = sorted(path.name for path in base.iterdir() if path.is_dir())
    draw("after")
    import addon_utils

    addon_utils.disable(module.__name__, default_set=True)
    return result


def case_reading():
    """The logs and the help as texts; without a window nothing is opened."""
    empty()
    hffne_blender.register()
    result = {"log": sorted(bpy.ops.hffne.show_log()), "copy": sorted(bpy.ops.hffne.show_log(copy=True))}
    with contextlib.suppress(RuntimeError):
        bpy.ops.hffne.generate(photo="/nowhere/a.jpg")
    texts = {}
    for name, code in (("last", ""), ("named", "no_face"), ("unknown", "no_such_code")):
        bpy.ops.hffne.show_help(code=code)
        texts[name] = bpy.data.texts["HFFNE Help"].as_string()[:400]
    result["help"], result["texts"] = texts, sorted(text.name for text in bpy.data.texts)
    hffne_blender.unregister()
    return result


def case_textures_of(blend):
    """The facts of a saved .blend."""
    bpy.ops.wm.open_mainfile(filepath=blend)
    obj = next(obj for obj in bpy.data.objects if camera.load(obj))
    return {
        "name": obj.name,
        "vertices": len(obj.data.vertices),
        "size": list(obj.dimensions),
        "location": list(obj.location),
        "groups": [group.name for group in obj.vertex_groups],
        "camera": bpy.context.scene.camera.name,
        "lights": len([other for other in bpy.data.objects if other.type == "LIGHT"]),
        "images": {
            image.name: [image.size[0], image.is_float, image.colorspace_settings.name, bool(image.packed_file)]
            for image in bpy.data.images
            if image.users
        },
    }


def case_compare(blend, npz):
    bpy.ops.wm.open_mainfile(filepath=blend)
    obj = next(obj for obj in bpy.data.objects if camera.load(obj))
    with np.load(npz) as stored:
        return roundtrip.compare(obj, stored["normal"], stored["mask"])


if __name__ == "__main__":
    answer = globals()[f"case_{sys.argv[1]}"](*sys.argv[2:])
    print("RESULT " + json.dumps(answer, default=float), flush=True)
