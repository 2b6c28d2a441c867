# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about pins, with the real engine."""

import json
from pathlib import Path

import bpy
import numpy as np
from case_process import choose, counts, start

from hffne_blender.numeric import photo_plane
from hffne_blender.pins import stored
from hffne_blender.pins.pinned_face import PinnedFace
from hffne_blender.scene import built_shape, camera, head, images, textures
from hffne_blender.scene.access import read_array

OPTIONS = {"texture_size": "512", "detail_size": "256", "lod": "GAME", "grid": "32", "maps": {"ALBEDO", "HEIGHT"}}
MOUTH, CHIN, EYE = 48, 8, 36


def generate(photo, engine, base):
    bpy.ops.hffne.generate(photo=photo, base=base, engine_python=engine, **OPTIONS)
    obj = bpy.context.object
    choose(obj)
    return obj


def shapes(obj):
    """All shapes of a face by name: (V, 3)."""
    mesh = obj.data
    found = {"mesh": read_array(mesh.vertices, "co", 3)}
    for key in mesh.shape_keys.key_blocks if mesh.shape_keys else ():
        found[key.name] = read_array(key.points, "co", 3)
    return found


def maps(obj):
    return {kind: images.values(image) for kind, image in textures.of_material(obj.data.materials[0]).items()}


def landmark(obj, number):
    """The pixel of the photo at which a landmark of the face is."""
    face = PinnedFace(obj)
    return face.pixels(face.landmarks(built_shape.points(obj)))[number]


def miss(obj):
    """How far, in pixels of its photo, the face is from its pins at most."""
    face, points = PinnedFace(obj), built_shape.points(obj)
    misses = []
    for pin in face.pins:
        seen_by = face.cameras[pin.photo]
        at = photo_plane.to_photo(seen_by, (pin.point(points)[None] @ photo_plane.axes(seen_by).T)[:, :2])
        misses.append(float(np.linalg.norm(at - pin.at)))
    return max(misses)


def difference(one, other):
    return {name: float(np.abs(one[name] - other[name]).max()) for name in one}


def case_correct(photo, engine, base, folder):
    start()
    obj = generate(photo, engine, base)
    name, options = obj.name, {"engine_python": engine}
    found, first = shapes(obj), maps(obj)
    bpy.ops.hffne.set_detail(strength=0.5)
    blocks = counts()
    bpy.ops.ed.undo_push(message="before")
    result = {"head": head.is_head(obj), "engines": built_shape.is_engines(obj)}
    at = landmark(obj, CHIN)
    result["state"] = sorted(bpy.ops.hffne.move_pin(start=at, to=at + (0, 6), **options))
    bpy.ops.ed.undo_push(message="chin")
    chin, chin_maps = shapes(obj), maps(obj)
    result["pins"] = [len(stored.load(obj)), stored.is_projected(obj), miss(obj)]
    result["maps"] = difference(chin_maps, first)
    result["blocks"] = counts() == blocks
    result["names"] = sorted(image.name for image in textures.of_material(obj.data.materials[0]).values())
    result["strength"] = obj.data.materials[0].hffne_sliders.strength

    # A second one, on the side and mirrored; the first holds.
    at = landmark(obj, MOUTH)
    bpy.ops.hffne.move_pin(start=at, to=at + (-4, 0), mirrored=True, **options)
    bpy.ops.ed.undo_push(message="mouth")
    result["second"] = [len(stored.load(obj)), miss(obj)]
    both = shapes(obj)
    moved = {key: both[key] - chin[key] for key in both}
    shape = moved.get("Photo Expression", moved["mesh"])
    left = shape[:, 0] > 5e-4
    result["mirrored"] = [float(shape[:, 0].max()), float(shape[:, 0].min()), int(left.sum())]

    # Undo and redo: one step each; the objects are new ones.
    bpy.ops.ed.undo()
    obj = bpy.data.objects[name]
    result["undone"] = [len(stored.load(obj)), max(difference(shapes(obj), chin).values())]
    result["undone maps"] = max(difference(maps(obj), chin_maps).values())
    bpy.ops.ed.redo()
    obj = bpy.data.objects[name]
    result["redone"] = [len(stored.load(obj)), max(difference(shapes(obj), both).values())]

    # The file keeps all of it.
    path = str(Path(folder) / "pins.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    obj = bpy.data.objects[name]
    choose(obj)
    result["reloaded"] = [len(stored.load(obj)), miss(obj), stored.is_projected(obj)]
    result["found"] = float(np.abs(stored.found_points(obj) - found.get("Photo Expression", found["mesh"])).max())
    bpy.ops.hffne.remove_pin(pin=1, **options)
    result["removed"] = [len(stored.load(obj)), max(difference(shapes(obj), chin).values())]
    bpy.ops.hffne.remove_pin(all=True, **options)
    result["reset"] = [len(stored.load(obj)), max(difference(shapes(obj), found).values())]
    result["reset maps"] = max(difference(maps(obj), first).values())
    return result


def case_sculpted(photo, engine, base):
    """A sculpted face keeps what was sculpted, under a pin and after it; nothing is lost when the engine fails."""
    start()
    obj = generate(photo, engine, base)
    found = shapes(obj)
    sculpted = int(np.argmin(built_shape.points(obj)[:, 1]))
    for owner in (obj.data.vertices, *(key.data for key in obj.data.shape_keys.key_blocks)):
        owner[sculpted].co.y -= 0.02
    bpy.context.view_layer.update()
    at = landmark(obj, CHIN)
    bpy.ops.hffne.move_pin(start=at, to=at + (0, 6), engine_python=engine)
    result = {"tip": float(shapes(obj)["mesh"][sculpted, 1] - found["mesh"][sculpted, 1]), "pin": miss(obj)}
    at = landmark(obj, EYE)
    try:
        bpy.ops.hffne.move_pin(start=at, to=at + (3, 0), engine_python="/nowhere/python")
    except RuntimeError as error:
        result["error"] = str(error)
    result["kept"] = [len(stored.load(obj)), miss(obj), stored.is_projected(obj)]
    result["state"] = sorted(bpy.ops.hffne.project_maps(engine_python=engine))
    result["projected"] = stored.is_projected(obj)
    try:
        bpy.ops.hffne.move_pin(start=(2, 2), to=(5, 5), engine_python=engine)
    except RuntimeError as error:
        result["beside"] = str(error)
    obj[stored.PROPERTY] = '[{"vertices": [0, 1, 99999999], "weights": [1, 0, 0], "at": [1, 2], "mirrored": false}, 7]'
    result["damaged"] = stored.load(obj)
    return result


def case_merged(photo, other, engine):
    """A face of several photos: pins over each of them, which all hold, and one shape."""
    start()
    bpy.ops.hffne.merge_photos(photos=json.dumps([other, photo]), base="MASK", engine_python=engine, **OPTIONS)
    obj = bpy.context.object
    choose(obj)
    result = {"photo": camera.of_face(obj)["photo"], "cameras": list(camera.by_photo(obj))}
    at = landmark(obj, CHIN)
    result["state"] = sorted(bpy.ops.hffne.move_pin(start=at, to=at + (0, 6), engine_python=engine))
    bpy.ops.hffne.view_photo(photo=1)
    view = bpy.context.scene.camera
    result["views"] = [view.data.ortho_scale]
    on_first = landmark(obj, EYE)
    bpy.ops.hffne.move_pin(photo=1, start=on_first, to=on_first + (-3, 0), project=False)
    bpy.ops.hffne.view_photo(photo=2)
    result["views"] += [view.data.ortho_scale, bpy.context.scene.camera == view]
    result["apart"] = float(landmark(obj, EYE)[0] - on_first[0])
    result["pins"] = [pin.photo for pin in stored.load(obj)]
    result["miss"], result["before"] = miss(obj), stored.is_projected(obj)
    bpy.ops.hffne.project_maps(engine_python=engine)
    result["maps"] = stored.is_projected(obj)
    result["after"] = miss(obj)
    try:
        bpy.ops.hffne.move_pin(photo=3, start=at, to=at, engine_python=engine)
    except RuntimeError as error:
        result["error"] = str(error)
    return result


def case_camera(photo, engine):
    """The pixels of the photo where landmarks of the face are, and back."""
    start()
    obj = generate(photo, engine, "MASK")
    found = camera.of_face(obj)
    pixels = np.array([[10.0, 20.0], [300.5, 211.25]])
    back = photo_plane.to_photo(found, photo_plane.from_photo(found, pixels))
    return {"back": float(np.abs(back - pixels).max()), "marks": [list(landmark(obj, n)) for n in (CHIN, EYE)]}


if __name__ == "__main__":
    import case_process

    case_process.main(globals())
