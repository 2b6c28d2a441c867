# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about the photo's sources, the faces on it, and the engine's release."""

import inspect
import os
from pathlib import Path

import bpy
import case_process
import numpy as np
from case_process import start

from hffne_blender import batch, settings
from hffne_blender.engine import session
from hffne_blender.photo import detected_faces, image_file
from hffne_blender.ui.preferences import HFFNE_Preferences

SMALL = {"base": "MASK", "texture_size": "512", "grid": "32", "maps": set()}


def private_files():
    """What is left of us in Blender's temporary folder."""
    return [name for name in os.listdir(bpy.app.tempdir) if name.startswith("hffne_")]


def case_images(folder):
    """What the engine gets to read of images that are open: (own file?, pixels right?, gone afterwards?)."""
    start()
    rng = np.random.default_rng(3)
    pixels = rng.random((6, 8, 4), np.float32)
    pixels[..., 3] = 1
    result = {}

    def look(name, image, expected, tolerance):
        made = image_file.of_image(image)
        own = made.path == image.filepath
        mode = oct(os.stat(os.path.dirname(made.path)).st_mode & 0o777)
        read = bpy.data.images.load(made.path)
        seen = np.empty(read.size[0] * read.size[1] * 4, np.float32)
        read.pixels.foreach_get(seen)
        close = np.abs(seen.reshape(6, 8, 4)[..., :3] - expected[..., :3]).max() < tolerance
        stem = Path(made.path).stem
        bpy.data.images.remove(read)
        made.close()
        made.close()
        result[name] = [own, bool(close), own or not os.path.exists(made.path), stem, own or mode]

    painted = bpy.data.images.new("Tante: Äg/nes.png", 8, 6)
    painted.pixels.foreach_set(pixels.ravel())
    look("generated", painted, pixels, 0.003)
    floats = bpy.data.images.new("floats", 8, 6, float_buffer=True)
    floats.pixels.foreach_set(pixels.ravel())
    # Blender reads 16 bits as floats again, from sRGB to linear: there and back.
    look("float", floats, pixels, 0.005)

    path = str(Path(folder) / "on disk.png")
    painted.filepath_raw, painted.file_format = path, "PNG"
    painted.save()
    loaded = bpy.data.images.load(path)
    look("file", loaded, pixels, 0.003)
    loaded.pack()
    os.remove(path)
    loaded.filepath_raw = "//gone.png"
    made = image_file.of_image(loaded)
    result["packed bytes"] = Path(made.path).read_bytes() == bytes(loaded.packed_file.data)
    made.close()
    values = np.empty(8 * 6 * 4, np.float32)
    loaded.pixels.foreach_get(values)
    loaded.pixels.foreach_set(np.ascontiguousarray(1 - values))
    look("painted over", loaded, 1 - values.reshape(6, 8, 4), 0.005)
    bpy.data.images.new("film", 1, 1).source = "MOVIE"
    for name in ("nobody", "film"):
        try:
            image_file.find(image=name)
            result[name] = ""
        except image_file.EngineError as error:
            result[name] = error.code
    result["left"] = private_files()
    # A texture of a face and a render are in the file, too.
    bpy.data.images.new("texture", 1, 1)["hffne_map"] = "color"
    scene = bpy.context.scene
    scene.render.engine, scene.render.resolution_x, scene.render.resolution_y = "CYCLES", 4, 4
    scene.cycles.samples = 1
    bpy.ops.object.camera_add()
    scene.camera = bpy.context.object
    bpy.ops.render.render()
    result["known"] = "Render Result" in bpy.data.images
    result["offered"] = sorted(image.name for image in bpy.data.images if image_file.may_be_photo(image))
    return result


def case_generate(python, folder):
    """A face of an open image: made, named, undone; nothing of the photo stays on the disk, whatever happens."""
    start()
    result = {}
    for name in ("Aunt", "no_face", "die", "broken"):
        image = bpy.data.images.new(name, 64, 64)
        try:
            result[name] = [
                sorted(bpy.ops.hffne.generate(image=image.name, engine_python=python, **SMALL)),
                private_files(),
            ]
        except RuntimeError:
            result[name] = [session.state.last_error["code"], private_files()]
    result["object"] = bpy.context.object.name
    progress = []
    session.state.progress_listeners.append(lambda task: progress.append(task.progress))
    bpy.context.scene.hffne.source = "IMAGE"
    bpy.context.scene.hffne.image = bpy.data.images["Aunt"]
    # The panel's choice, and it goes with the file.
    result["panel"] = sorted(bpy.ops.hffne.generate("INVOKE_DEFAULT", engine_python=python, **SMALL))
    # The engine has answered a new request: an image may have been painted on since the last one.
    result["requested"] = bool(progress) and progress[-1] == 1
    path = str(Path(folder) / "saved.blend")
    bpy.data.images["Aunt"].pack()
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    result["kept"] = [bpy.context.scene.hffne.source, bpy.context.scene.hffne.image.name]
    return result


def case_faces(python, folder):
    start()
    chosen, manager = bpy.context.scene.hffne, bpy.context.window_manager
    result = {}
    for name in ("group.jpg", "single.jpg", "empty.jpg", "refuse.jpg"):
        photo = Path(folder) / name
        photo.touch()
        chosen.photo, chosen.face = str(photo), 2
        try:
            state = sorted(bpy.ops.hffne.find_faces("INVOKE_DEFAULT", engine_python=python))
        except RuntimeError as error:
            state = str(error)
        result[name] = [state, [list(face.box) for face in manager.hffne_faces], chosen.face, drawn_faces()]
    photo = str(Path(folder) / "group.jpg")
    bpy.ops.hffne.find_faces(photo=photo, engine_python=python)
    chosen.photo = photo
    chosen.shown_face = "3"
    pictures = [list(detected_faces.state.previews[str(number)].image_size) for number in (1, 2, 3)]
    result["chosen"] = [chosen.face, chosen.shown_face, pictures]
    result["told"] = [
        line.removeprefix("label ") for line in drawn_lines() if "px wide" in line or "Detail up to" in line
    ]
    picture = detected_faces.with_boxes(np.full((128, 128, 3), 128, np.uint8), (640, 480), [manager.hffne_faces[0].box])
    result["overview"] = [
        list(detected_faces.state.previews["overview"].image_size),
        *(picture[y, x].tolist() for x, y in ((2, 20), (10, 30), (1, 19), (64, 15))),
    ]
    sizes = ((50, 50), (200, 220), (300, 320), (600, 700), (1500, 1600))
    result["details"] = [detected_faces.useful_detail(*size) for size in sizes]
    result["details"].append(detected_faces.useful_detail(1500, 1600, "cpu"))
    # The other photo's faces are not offered.
    chosen.photo = str(Path(folder) / "single.jpg")
    result["other"] = drawn_faces()
    # With an engine: what is looked for, and room for the picture that will come.
    os.environ["HFFNE_ENGINE_PYTHON"] = python
    detected_faces.state.awaited = chosen.photo
    result["awaited"] = [any("Looking for faces" in line for line in drawn_lines()), drawn_faces()[0]]
    detected_faces.state.awaited = ""
    result["not awaited"] = any("Press Generate" in line for line in drawn_lines())
    del os.environ["HFFNE_ENGINE_PYTHON"]
    image = bpy.data.images.new("group of friends", 32, 32)
    result["image"] = [
        sorted(bpy.ops.hffne.find_faces(image=image.name, engine_python=python)),
        len(manager.hffne_faces),
    ]
    result["left"] = private_files()
    return result


def drawn_lines():
    from types import SimpleNamespace

    from recorded_layout import Layout

    from hffne_blender.ui import panel

    drawn = []
    panel.HFFNE_PT_face.draw(SimpleNamespace(layout=Layout(drawn)), bpy.context)
    return drawn


def drawn_faces():
    drawn = drawn_lines()
    thumbnails = sum(line.startswith("template_icon") for line in drawn)
    return [thumbnails, sum("shown_face" in line for line in drawn), any("No face was found" in line for line in drawn)]


def case_add_menu(python, folder):
    """The entry of the menu Add > Mesh asks for a photo and builds its face, which becomes an asset."""
    from types import SimpleNamespace

    from recorded_layout import Layout

    from hffne_blender.ui import add_menu

    start()
    drawn = []
    add_menu.draw(SimpleNamespace(layout=Layout(drawn)), bpy.context)
    os.environ["HFFNE_ENGINE_PYTHON"] = python
    photo = Path(folder) / "Ada.jpg"
    photo.touch()
    state = sorted(bpy.ops.hffne.open_photo(filepath=str(photo), generate=True))
    obj = bpy.context.object
    marked = [sorted(bpy.ops.hffne.mark_as_asset()) for _ in range(2)]
    return {
        "drawn": drawn,
        "state": state,
        "made": obj.name,
        "marked": marked,
        "tags": [tag.name for tag in obj.asset_data.tags],
        "without": bpy.ops.hffne.open_photo(filepath=str(photo)) and len(bpy.data.objects),
    }


def case_sources(folder):
    """The file's operator, the drop's, and the clipboard where there is none."""
    start()
    chosen = bpy.context.scene.hffne
    photo = str(Path(folder) / "dropped photo.jpg")
    Path(photo).touch()
    bpy.ops.ed.undo_push(message="start")
    chosen.source = "IMAGE"
    result = {"open": [sorted(bpy.ops.hffne.open_photo("EXEC_DEFAULT", True, filepath=photo)), chosen.photo == photo]}
    result["source"] = chosen.source
    for name, call in {
        "missing": lambda: bpy.ops.hffne.open_photo(filepath=photo + "x"),
        "none": lambda: bpy.ops.hffne.open_photo("EXEC_DEFAULT"),
        "paste": lambda: bpy.ops.hffne.paste_photo(),
    }.items():
        before = len(bpy.data.images)
        try:
            result[name] = sorted(call())
        except RuntimeError as error:
            result[name] = [str(error), len(bpy.data.images) == before]
    handler = bpy.types.HFFNE_FH_photo
    endings = handler.bl_file_extensions.split(";")
    # Blender's own drop asks the handlers: without a viewport nobody answers.
    result["handler"] = [handler.bl_import_operator, ".jpg" in endings, ".blend" in endings]
    areas = {area.type: area for area in bpy.context.window_manager.windows[0].screen.areas}
    result["drop"] = {}
    for kind, area in areas.items():
        with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area):
            result["drop"][kind] = handler.poll_drop(bpy.context)
    return result


def case_release(python, folder):
    start()
    photo = Path(folder) / "good.jpg"
    photo.touch()
    result = {"before": bpy.ops.hffne.release_engine.poll()}
    bpy.ops.hffne.generate(photo=str(photo), engine_python=python, **SMALL)
    process = session.state.client._process
    result["running"] = [bpy.ops.hffne.release_engine.poll(), process.poll()]
    result["state"] = sorted(bpy.ops.hffne.release_engine())
    result["ended"] = [process.poll() is not None, session.device(), bpy.ops.hffne.release_engine.poll()]
    # The answer is still known, and the next photo starts an engine again.
    bpy.ops.hffne.generate(photo=str(photo), engine_python=python, color=False, **SMALL)
    result["redone"] = session.alive()
    photo.write_bytes(b"changed")
    bpy.ops.hffne.generate(photo=str(photo), engine_python=python, **SMALL)
    result["again"] = session.alive()
    return result


def case_tooltips():
    """Every operator and property of ours says what it does."""
    start()
    silent = []
    for name in dir(bpy.ops.hffne):
        kind = getattr(bpy.ops.hffne, name).get_rna_type()
        if len(kind.description.strip()) < 10:
            silent.append(name)
        silent += [
            f"{name}.{prop.identifier}"
            for prop in kind.properties
            if prop.identifier != "rna_type" and not prop.is_hidden and len(prop.description.strip()) < 10
        ]
    groups = (
        settings.HFFNE_Settings,
        HFFNE_Preferences,
        batch.HFFNE_Batch,
        batch.HFFNE_BatchItem,
        detected_faces.HFFNE_DetectedFace,
    )
    for group in groups:
        silent += [
            f"{group.__name__}.{name}"
            for base in group.__mro__
            for name in inspect.get_annotations(base)
            if name != "items" and len(group.bl_rna.properties[name].description.strip()) < 10
        ]
    return {"silent": silent}


if __name__ == "__main__":
    case_process.main(globals())
