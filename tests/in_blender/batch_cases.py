# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about many photos and scripting."""

import json
import os
import sys
from pathlib import Path

import bpy
import case_process
from case_process import start

from hffne_blender import batch
from hffne_blender.engine import session
from hffne_blender.scene import export

# Operators that work on the active face.
OF_FACE = {"set_detail", "bake", "view_photo", "add_lights", "add_turntable", "relight_photo"}
SMALL = {"base": "MASK", "texture_size": "512", "grid": "32", "maps": set()}


def states():
    return {os.path.basename(item.photo): item.state for item in bpy.context.scene.hffne_batch.items}


def case_queue(python, folder):
    """Two good photos, one without a face, one that kills the engine: the others are done all the same."""
    start()
    queue = bpy.context.scene.hffne_batch
    result = {"state": list(bpy.ops.hffne.batch_run(directory=folder, engine_python=python, **SMALL))}
    result["states"] = states()
    result["messages"] = {os.path.basename(item.photo): item.message for item in queue.items if item.state == "FAILED"}
    result["objects"] = sorted(obj.name for obj in bpy.data.objects)
    result["places"] = len({tuple(obj.location) for obj in bpy.data.objects})
    result["pointers"] = all(item.obj is not None for item in queue.items if item.state == "DONE")
    result["summary"] = batch.summary(queue)
    # What the list's search looks at, and whether F9 could work it all off again.
    result["searched"] = sorted(item.name for item in queue.items)
    result["options"] = sorted(bpy.types.HFFNE_OT_batch_run.bl_options)

    # Saved and opened again it knows all that.
    path = str(Path(folder) / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    queue = bpy.context.scene.hffne_batch
    result["kept"] = states() == result["states"] and all(item.obj for item in queue.items if item.state == "DONE")
    before = sorted(obj.name for obj in bpy.data.objects)
    try:
        bpy.ops.hffne.batch_run(engine_python=python, **SMALL)
        result["nothing waits"] = ""
    except RuntimeError as error:
        result["nothing waits"] = str(error)

    # The photo without a face is replaced by a better one under the same name, in the eyes of the fake.
    index = next(i for i, item in enumerate(queue.items) if "no_face" in item.photo)
    better = str(Path(folder) / "better.jpg")
    os.rename(queue.items[index].photo, better)
    queue.items[index].photo = better
    bpy.ops.hffne.batch_edit(action="RETRY", index=index)
    result["retried"] = [list(bpy.ops.hffne.batch_run(engine_python=python, **SMALL)), states()]
    result["new"] = sorted({obj.name for obj in bpy.data.objects} - set(before))
    result["again"] = [list(bpy.ops.hffne.batch_run(engine_python=python, retry=True, **SMALL)), states()["die.jpg"]]
    bpy.ops.hffne.batch_edit(action="CLEAR_DONE")
    result["left"] = sorted(states())
    return result


def case_queue_without_engine(folder, python=""):
    """Without an engine the queue stops at once, and every photo still waits."""
    start()
    bpy.ops.hffne.batch_add(directory=folder)
    try:
        bpy.ops.hffne.batch_run(engine_python=python, **SMALL)
        said = ""
    except RuntimeError as error:
        said = str(error)
    twice = bpy.ops.hffne.batch_add(directory=folder)
    return {"said": said, "code": session.state.last_error["code"], "states": states(), "twice": list(twice)}


def case_files_only(python, folder, out):
    """Each face is written and nothing of it stays in the file."""
    start()
    kinds = ("objects", "meshes", "materials", "images", "node_groups", "shape_keys")
    before = {kind: len(getattr(bpy.data, kind)) for kind in kinds}
    result = {}
    try:
        bpy.ops.hffne.batch_run(directory=folder, engine_python=python, files_only=True, output=out + "x", **SMALL)
    except RuntimeError as error:
        result["nowhere"] = [str(error), len(states())]
    twin = Path(folder) / "other"
    twin.mkdir()
    (twin / "good 1.jpg").touch()
    bpy.ops.hffne.batch_add(directory=str(twin))
    state = bpy.ops.hffne.batch_run(directory=folder, engine_python=python, files_only=True, output=out, **SMALL)
    items = bpy.context.scene.hffne_batch.items
    return result | {
        "state": list(state),
        "left": {kind: len(getattr(bpy.data, kind)) - count for kind, count in before.items()},
        "done": [[item.obj is None, item.message.split(":")[0].split()[1]] for item in items if item.state == "DONE"],
        "models": sorted(name for name in os.listdir(out) if name.endswith((".glb", ".fbx"))),
        "normals": sorted(name for name in os.listdir(out) if name.endswith("_Normal.png")),
    }


def case_merge(python, folder):
    start()
    photos = [str(Path(folder) / name) for name in ("good 1.jpg", "good 2.jpg")]
    result = {"state": list(bpy.ops.hffne.merge_photos(photos=json.dumps(photos), engine_python=python, **SMALL))}
    result["object"] = bpy.context.object.name
    count = len(bpy.data.objects)
    said = {}
    for name, given in {"one": photos[:1], "missing": [*photos, "nobody.jpg"], "no list": "x"}.items():
        try:
            bpy.ops.hffne.merge_photos(photos=json.dumps(given), engine_python=python, **SMALL)
        except RuntimeError as error:
            said[name] = [session.state.last_error["code"], str(error)]
    result["said"], result["left"] = said, len(bpy.data.objects) == count
    return result


def case_names(folder):
    """Names that collide, that are longer than Blender's, and of all writing."""
    start()
    made = []
    for name in ("good 1.jpg", "good 1.jpg", "顔" * 60 + ".jpg", "Ängström é 🙂.jpg", "x" * 200 + ".jpg"):
        photo = Path(folder) / name
        photo.touch()
        bpy.ops.hffne.generate(photo=str(photo), engine_python=sys.executable, **SMALL)
        session.forget_answer()
        made.append(bpy.context.object.name)
    faces = [bpy.data.objects[name] for name in made]
    textures = [
        {node.image.name for node in face.data.materials[0].node_tree.nodes if node.type == "TEX_IMAGE"}
        for face in faces
    ]
    long = bpy.data.objects[made[2]]
    # Where that face stands: beside the ones before it.
    bpy.ops.mesh.primitive_uv_sphere_add(segments=48, ring_count=24, radius=0.11, location=long.location)
    bpy.context.object.name = "頭" * 30
    bpy.ops.object.shade_smooth()
    target = bpy.context.object.name
    applied = bpy.ops.hffne.apply_to_mesh(
        face=long.name, target=target, align="PLACED", texture_size="512", displacement=True
    )
    out = Path(folder) / "out"
    out.mkdir()
    bpy.context.view_layer.objects.active = faces[3]
    exported = bpy.ops.hffne.export_maps(directory=str(out), file_format="PNG", convention="OPENGL")
    return {
        "made": made,
        # In bytes, with the zero at the end: 64 up to Blender 4.5, 256 in 5.
        "longest": bpy.types.ID.bl_rna.properties["name"].length_max,
        "apart": len(set.union(*textures)) == sum(map(len, textures)),
        "applied": sorted(applied),
        "images": len(export.maps_of(bpy.data.objects[target])),
        "exported": sorted(exported),
        "files": len(list(out.iterdir())),
    }


def case_documentation(python, folder, text, out):
    """Run the examples of docs/scripting.md, in order, with what it says that they are given."""
    import ast
    import contextlib
    import io
    import re

    start()
    given = {"PHOTO": "good 1.jpg", "LEFT": "good 2.jpg", "RIGHT": "good 3.jpg"}
    space = {name: str(Path(folder) / photo) for name, photo in given.items()}
    space |= {"FOLDER": folder, "OUT": out, "ENGINE": python}
    results = []
    for block in re.findall(r"```python\n(.*?)```", Path(text).read_text(encoding="utf-8"), re.DOTALL):
        # Every status in the block counts, not only the last.
        for statement in ast.parse(block).body:
            text = ast.unparse(statement)
            with contextlib.redirect_stdout(io.StringIO()):
                exec(text, space)
            if text.startswith("status ="):
                results.append([text.split("(")[0].split(".")[-1], sorted(space["status"])])
    return {"results": results, "written": len(os.listdir(out))}


def scene_facts():
    """What of a scene must come and go with undo and redo."""
    kinds = ("objects", "materials", "images", "lights", "cameras")
    facts = {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}
    facts["slots"] = [
        [slot.material.name if slot.material else None for slot in obj.material_slots] for obj in bpy.data.objects
    ]
    facts["modifiers"] = [[modifier.name for modifier in obj.modifiers] for obj in bpy.data.objects]
    queue = bpy.context.scene.hffne_batch
    facts["queue"] = [[os.path.basename(item.photo), item.state] for item in queue.items]
    scene = bpy.context.scene
    facts["camera"] = scene.camera.name if scene.camera else None
    facts["frames"] = [scene.frame_start, scene.frame_end]
    facts["children"] = [sorted(child.name for child in obj.children_recursive) for obj in bpy.data.objects]
    facts["detail"] = [
        [socket.default_value for socket in node.inputs if socket.type == "VALUE"]
        for skin in bpy.data.materials
        for node in skin.node_tree.nodes
        if node.type == "GROUP"
    ]
    return facts


def case_undo(python, folder, out):
    """Each operator that changes the file is one step back and forth."""
    start()
    photo = str(Path(folder) / "good 1.jpg")
    bpy.ops.mesh.primitive_uv_sphere_add(segments=32, ring_count=16, radius=0.11)
    bpy.context.object.name = "Head"
    bpy.ops.object.shade_smooth()
    bpy.ops.ed.undo_push(message="start")
    ops = bpy.ops.hffne
    photos = json.dumps([photo, str(Path(folder) / "good 2.jpg")])
    applying = {"face": "good 1", "target": "Head", "align": "PLACED", "texture_size": "512"}
    maps = {"RELIGHT", "HEIGHT"}
    steps = (
        ("generate", {"photo": photo, "engine_python": python, **SMALL, "maps": maps}),
        ("set_detail", {"strength": 0.5}),
        ("set_detail", {"relief": "DISPLACEMENT"}),
        ("bake", {"resolution": 64}),
        ("bake", {"target": "Head", "resolution": 64, "space": "OBJECT", "extrusion": 0.1}),
        ("view_photo", {}),
        ("add_lights", {"preset": "RIM"}),
        ("add_lights", {"preset": "SPLIT"}),
        ("add_turntable", {"frames": 12}),
        ("relight_photo", {}),
        ("place_landmarks", {"target": "Head", "face": "good 1", "find": False}),
        ("apply_to_mesh", applying),
        ("apply_to_mesh", {**applying, "relief": True, "levels": 1}),
        ("merge_photos", {"photos": photos, "engine_python": python, **SMALL}),
        ("batch_add", {"directory": folder}),
        ("batch_run", {"engine_python": python, **SMALL}),
        ("batch_edit", {"action": "CLEAR_DONE"}),
    )
    result = {}
    for number, (name, arguments) in enumerate(steps):
        before = scene_facts()
        if name in OF_FACE:
            bpy.context.view_layer.objects.active = bpy.data.objects["good 1"]
        # The second argument makes an undo step of it, as pressing the button does.
        getattr(ops, name)("EXEC_DEFAULT", True, **arguments)
        after = scene_facts()
        bpy.ops.ed.undo()
        undone = scene_facts()
        bpy.ops.ed.redo()
        result[f"{number} {name}"] = [before != after, undone == before, scene_facts() == after]
        if name == "generate":
            # Into the mesh that it is applied to later: a new face stands beside it.
            bpy.data.objects["good 1"].location = (0, 0, 0)
            bpy.ops.ed.undo_push(message="moved")
    # What was made and taken back and made again is there to be written.
    bpy.context.view_layer.objects.active = bpy.data.objects["Head"]
    before = scene_facts()
    result["export"] = list(ops.export_maps(directory=out, maps={"normal", "bake_object"}))
    result["written"] = sorted(os.listdir(out))
    result["untouched"] = before == scene_facts()
    return result


def case_panels(python, folder):
    from types import SimpleNamespace

    from recorded_layout import Layout

    from hffne_blender.ui import batch_panel, character_panel

    start()
    result = {}

    def draw(name, panel):
        drawn = []
        panel.draw(SimpleNamespace(layout=Layout(drawn)), bpy.context)
        result[name] = drawn

    draw("empty", batch_panel.HFFNE_PT_batch)
    bpy.ops.hffne.batch_run(directory=folder, engine_python=python, **SMALL)
    draw("run", batch_panel.HFFNE_PT_batch)
    photo = Path(folder) / "group.jpg"
    photo.touch()
    bpy.ops.hffne.batch_add(directory=folder, files=[{"name": photo.name}])
    bpy.ops.hffne.batch_run(engine_python=python, **SMALL)
    bpy.context.scene.hffne_batch.active = len(bpy.context.scene.hffne_batch.items) - 1
    draw("group", batch_panel.HFFNE_PT_batch)
    draw("no mesh", character_panel.HFFNE_PT_character)
    bpy.ops.mesh.primitive_cube_add()
    draw("mesh", character_panel.HFFNE_PT_character)
    return result


if __name__ == "__main__":
    case_process.main(globals())
