# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about operators and panels with a fake engine: generating a face, errors, reports, weights."""

import contextlib
from pathlib import Path

import bpy
import case_process
from case_process import counts, empty
from recorded_layout import Layout
from scene_cases import build_fake

import hffne_blender
from hffne_blender.engine import session
from hffne_blender.scene import extent
from hffne_blender.scene.nodes import find_node


def case_operator(python, photo):
    empty()
    hffne_blender.register()
    bpy.context.scene.cursor.location = (1, 2, 3)
    result = {"before": counts()}
    reported = []
    session.state.progress_listeners.append(lambda task: reported.append(task.progress))
    arguments = {"photo": photo, "engine_python": python, "base": "MASK", "texture_size": "512", "grid": "32"}
    result["state"] = list(bpy.ops.hffne.generate(**arguments))
    result["after"] = counts()
    result["progress"] = list(reported)
    obj = bpy.context.object
    result["active"] = [obj.name, obj.select_get(), list(obj.location), len(obj.data.vertices)]
    # The same again without colors needs no engine.
    bpy.ops.hffne.generate(**arguments, color=False)
    labels = {node.label for node in bpy.context.object.data.materials[0].node_tree.nodes}
    result["redone"] = [reported == result["progress"], "Normal" in labels, "Color" in labels]
    bpy.ops.hffne.view_photo()
    result["view"] = [bpy.context.scene.camera.data.type, bpy.context.scene.render.resolution_x]
    hffne_blender.unregister()
    return result


def case_shown(python, photo):
    """Where faces of one place go, and what of the user's work they leave alone: selection, active object, mode."""
    empty()
    hffne_blender.register()
    arguments = {"photo": photo, "engine_python": python, "base": "MASK", "texture_size": "512", "grid": "32"}
    scene, result = bpy.context.scene, {}
    scene.cursor.location = (1, 2, 3)
    bpy.ops.mesh.primitive_cube_add(location=(1, 2, 3))
    cube = bpy.context.object
    result["apart"] = []
    for _ in range(3):
        bpy.context.view_layer.update()
        boxes = [extent.world_box(obj) for obj in scene.objects]
        bpy.ops.hffne.generate(**arguments, maps={"RELIGHT"})
        bpy.context.view_layer.update()
        own = extent.world_box(bpy.context.object)
        touched = [(own[1] > box[0]).all() and (box[1] > own[0]).all() for box in boxes if box is not None]
        result["apart"].append([len(touched), int(sum(touched))])
        result.setdefault("places", []).append([round(value, 4) for value in bpy.context.object.location])
        face = bpy.context.object
        bpy.ops.hffne.add_lights(preset="SOFT")
        bpy.ops.hffne.relight_photo()
        case_process.choose(face)
    result["selected"] = [obj.name for obj in bpy.context.selected_objects] == [bpy.context.object.name]

    bpy.ops.mesh.primitive_plane_add(size=50, location=(20, 20, 20))
    scene.cursor.location = (20, 20, 20)
    bpy.ops.hffne.generate(**arguments, maps={"RELIGHT"})
    result["on a floor"] = list(bpy.context.object.location)
    scene.cursor.location, scene.unit_settings.scale_length = (-500, 0, 0), 0.01

    def scatter():
        return (
            find_node(bpy.context.object.data.materials[0], bpy.types.ShaderNodeBsdfPrincipled)
            .inputs["Subsurface Scale"]
            .default_value
        )

    before = scatter()
    bpy.ops.hffne.generate(**arguments, maps={"RELIGHT"})
    result["centimeters"], result["scatters"] = list(bpy.context.object.scale), scatter() / before
    scene.unit_settings.scale_length = 1

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


def case_paths(folder):
    """What is said of paths that name no file, in the panel's browser and in the preferences."""
    from types import SimpleNamespace

    from hffne_blender import preferences
    from hffne_blender.photo import detected_faces

    empty()
    hffne_blender.register()
    result = {}
    for name, path in (("folder", folder), ("missing", str(Path(folder) / "nobody.jpg"))):
        for operator in ("open_photo", "generate"):
            try:
                options = {"filepath": path} if operator == "open_photo" else {"photo": path}
                getattr(bpy.ops.hffne, operator)(**options)
            except RuntimeError as error:
                result.setdefault(name, []).append(str(error))
        result[name].append(preferences.path_problem(path))
    (Path(folder) / "bin").mkdir()
    (Path(folder) / "bin" / "python").touch()
    result["environment"] = preferences.path_problem(folder)
    missing = str(Path(folder) / "nobody")
    paths = (("", True), (folder, True), (folder, False), (missing, True), (missing, False))
    result["optional"] = [preferences.missing_problem(*path) for path in paths]
    session.fail({"code": "engine_not_started", "message": "It did not start.", "hint": ""})
    result["dismissed"] = [bpy.ops.hffne.dismiss_error.poll(), sorted(bpy.ops.hffne.dismiss_error())]
    result["dismissed"] += [session.state.last_error is None, bpy.ops.hffne.dismiss_error.poll()]
    session.fail({"code": "engine_not_started", "message": "It did not start.", "hint": ""})
    preferences._engine_changed(SimpleNamespace(engine_python=folder), bpy.context)
    result["forgotten"] = session.state.last_error is None
    result["sizes"] = [detected_faces.useful_texture_size(width) for width in (10, 430, 900, 5000)]
    hffne_blender.unregister()
    return result


def case_presets():
    """What each preset of the output sets, one of the user's own, and the check boxes of the maps."""
    empty()
    hffne_blender.register()
    chosen = bpy.context.scene.hffne

    def values():
        return [chosen.base, chosen.texture_size, chosen.lod, chosen.color, sorted(chosen.maps)]

    def run(name):
        folders = bpy.utils.preset_paths("hffne/output")
        path = next(path for folder in folders for path in Path(folder).glob(f"{name}.py"))
        bpy.ops.script.execute_preset(filepath=str(path), menu_idname="HFFNE_PT_output_presets")
        return values()

    result = {"shipped": {name: run(name) for name in ("Draft", "Portrait", "Game", "Film")}}
    chosen.maps = {"HEIGHT", "ALBEDO"}
    chosen.map_height = False
    chosen.map_curvature = True
    result["boxes"] = [sorted(chosen.maps), chosen.map_albedo, chosen.map_height]
    mine = values()
    result["added"] = sorted(bpy.ops.hffne.output_preset_add(name="Mine"))
    run("Film")
    result["own"] = run("Mine") == mine
    result["removed"] = sorted(bpy.ops.hffne.output_preset_add(name="Mine", remove_active=True))
    texts = [prop.description for prop in chosen.bl_rna.properties if prop.identifier.startswith("map_")]
    result["tooltips"] = len(texts) == 9 and all(texts)
    hffne_blender.unregister()
    home = Path(hffne_blender.__file__).parent
    result["gone"] = not any(home in Path(folder).parents for folder in bpy.utils.preset_paths("hffne/output"))
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


if __name__ == "__main__":
    case_process.main(globals())
