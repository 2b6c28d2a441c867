# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about a face's object: its mesh, material, images, camera, and how Cycles shades it."""

import time

import bpy
import case_process
import numpy as np
from case_process import counts, empty

import fake_face
from hffne_blender.commands import roundtrip
from hffne_blender.numeric import tangent
from hffne_blender.numeric.checked_arrays import ReceivedFaceError
from hffne_blender.numeric.png import png_bytes
from hffne_blender.numeric.received_face import ReceivedFace
from hffne_blender.scene import camera, face, images, material, mesh, mesh_arrays
from hffne_blender.scene.nodes import find_node
from hffne_blender.system import jobs


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
        except ReceivedFaceError as error:
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
    pairs = zip(pixels_of(work.result), pixels_of(at_once), strict=True)
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
    return roundtrip.compare(obj, *roundtrip.stored_normals(npz))


if __name__ == "__main__":
    case_process.main(globals())
