# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of "Apply to My Mesh" do inside Blender, see blender_cases.py."""

import json
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS.parent)]

import bpy
import numpy as np
from mathutils import Euler, Matrix

import fake_face
import hffne_blender
from hffne_blender.character import landmarks
from hffne_blender.character.read_face import read_face
from hffne_blender.commands import roundtrip
from hffne_blender.engine import session
from hffne_blender.numeric.received_face import ReceivedFace
from hffne_blender.operators.bases import faces
from hffne_blender.scene import camera, face, images

# What must carry over to a copy of the same shape: all of it, up to the very border.
ALL = {"largest": 0.0, "border": 0.001, "skip_eyes": False, "texture_size": "512"}
MOVED = Matrix.Translation((1, 2, 3)) @ Euler((0.15, -0.1, 0.2)).to_matrix().to_4x4() @ Matrix.Scale(7, 4)


def start():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    hffne_blender.register()


def fake(grid=64, texture_size=512):
    made = ReceivedFace.from_answer(*fake_face.answer(texture_size=texture_size, grid=grid))
    obj = face.build(made, bpy.context.scene.collection)
    bpy.context.view_layer.update()
    return obj


def remeshed(obj, matrix):
    """The same shape with other vertices, other triangles and another unwrapping, moved by `matrix`."""
    copy = bpy.data.objects.new("Hero", obj.data.copy())
    bpy.context.scene.collection.objects.link(copy)
    copy.data.materials.clear()
    finer = copy.modifiers.new("finer", "SUBSURF")
    finer.levels, finer.subdivision_type = 1, "SIMPLE"
    copy.modifiers.new("fewer", "DECIMATE").ratio = 0.45
    graph = bpy.context.evaluated_depsgraph_get()
    mesh = bpy.data.meshes.new_from_object(copy.evaluated_get(graph))
    copy.modifiers.clear()
    copy.data = mesh
    layer = mesh.uv_layers[0]
    layer.name = "skin"
    uv = np.empty(len(mesh.loops) * 2, np.float32)
    layer.uv.foreach_get("vector", uv)
    cos, sin = np.cos(0.7), np.sin(0.7)
    uv = (uv.reshape(-1, 2) - 0.5) @ np.array([[cos, -sin], [sin, cos]]) * [-0.6, 0.55]
    uv = uv + 0.1 * np.sin(3 * uv[:, ::-1]) + 0.5
    layer.uv.foreach_set("vector", uv.astype(np.float32).ravel())
    mesh.shade_smooth()
    copy.matrix_world = matrix
    bpy.context.view_layer.update()
    return copy


def put_landmarks(obj, copy, noise):
    """Landmarks on a copy where they belong, but for the artist's unsteady hand (meters of the face)."""
    generator = np.random.default_rng(5)
    known = read_face(obj).landmarks
    matrix = np.array(copy.matrix_world)
    wanted = sorted(landmarks.NAMES)
    points = known[wanted] + generator.normal(size=(len(wanted), 3)) * noise
    points = points @ matrix[:3, :3].T + matrix[:3, 3]
    landmarks.place(bpy.context, copy, dict(zip(wanted, points)), 0.01)


def angle(obj, copy, size=256):
    """Mean degrees between the shading of both, a few pixels within the face's outline."""
    copy[camera.PROPERTY] = obj[camera.PROPERTY]
    first, seen_first = roundtrip.rendered_normals(obj, size, samples=4)
    second, seen_second = roundtrip.rendered_normals(copy, size, samples=4)
    # With a camera it would pass for a face itself.
    del copy[camera.PROPERTY]
    both = seen_first & seen_second
    for _ in range(6):
        both[1:-1, 1:-1] &= both[:-2, 1:-1] & both[2:, 1:-1] & both[1:-1, :-2] & both[1:-1, 2:]
    error = roundtrip.angles(first[both], second[both])
    return {
        "mean": float(error.mean()),
        "p95": float(np.percentile(error, 95)),
        "share": float(both.sum() / seen_first.sum()),
    }


def plain(copy):
    """Take the detail off the copy again, to know what it is worth."""
    for slot in copy.material_slots:
        for node in slot.material.node_tree.nodes:
            if node.type == "NORMAL_MAP":
                node.inputs["Strength"].default_value = 0


def state(obj):
    """All of a mesh object that applying must not touch."""
    mesh = obj.data
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    uv = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers[0].uv.foreach_get("vector", uv)
    return [
        hash(points.tobytes()),
        hash(uv.tobytes()),
        [polygon.material_index for polygon in mesh.polygons].count(0),
        [layer.name for layer in mesh.uv_layers],
        [attribute.name for attribute in mesh.attributes],
        [material.name if material else None for material in mesh.materials],
        [list(row) for row in obj.matrix_world],
        [group.name for group in obj.vertex_groups],
    ]


def counts():
    return {kind: len(getattr(bpy.data, kind)) for kind in ("objects", "meshes", "images", "materials", "textures")}


def case_copy():
    """Onto a remeshed, moved, turned, scaled and differently unwrapped copy of the face itself."""
    start()
    obj = fake()
    result = {}
    copy = remeshed(obj, MOVED)
    put_landmarks(obj, copy, 0.0015)
    result["state"] = list(bpy.ops.hffne.apply_to_mesh(face=obj.name, target=copy.name, align="LANDMARKS", **ALL))
    result["landmarks"] = angle(obj, copy)
    plain(copy)
    result["without"] = angle(obj, copy)
    bpy.data.objects.remove(copy)
    copy = remeshed(obj, Matrix.Translation((0.004, -0.003, 0.005)) @ Euler((0.03, 0.02, 0.05)).to_matrix().to_4x4())
    bpy.ops.hffne.apply_to_mesh(face=obj.name, target=copy.name, align="PLACED", **ALL)
    result["placed"] = angle(obj, copy)
    return result


def bumpy(copy):
    """A material with relief of its own, of the artist's."""
    material = bpy.data.materials.new("Own skin")
    if material.node_tree is None:
        material.use_nodes = True
    tree = material.node_tree
    bump = tree.nodes.new("ShaderNodeBump")
    surface = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    tree.links.new(bump.outputs["Normal"], surface.inputs["Normal"])
    copy.data.materials.append(material)
    return material


def case_care():
    """Only what was asked for appears, a second run replaces it, the file keeps it, the border is soft."""
    start()
    obj = fake(grid=40, texture_size=256)
    copy = remeshed(obj, Matrix.Translation((0.3, 0, 0)))
    own = bumpy(copy)
    own_nodes = len(own.node_tree.nodes)
    put_landmarks(obj, copy, 0)
    before, had = state(copy), counts()
    arguments = {"face": obj.name, "target": copy.name, "texture_size": "512", "border": 0.02}
    bpy.ops.hffne.apply_to_mesh(**arguments)
    result = {"untouched": state(copy) == before, "own": [len(own.node_tree.nodes) == own_nodes, own.name]}
    first = counts()
    result["made"] = {kind: first[kind] - had[kind] for kind in first}
    slot = copy.material_slots[0]
    result["slot"] = [slot.link, slot.material.name, copy.data.materials[0].name]
    surface = next(node for node in slot.material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    result["joined"] = surface.inputs["Normal"].links[0].from_node.type

    # The artist goes on working on the material; a second run must keep that.
    surface.inputs["Roughness"].default_value = 0.123
    bpy.ops.hffne.apply_to_mesh(**arguments, strength=0.5, displacement=True)
    second = counts()
    result["again"] = {kind: second[kind] - first[kind] for kind in second}
    result["kept"] = round(surface.inputs["Roughness"].default_value, 3)
    image = bpy.data.images["Hero_fake_normal"]
    pixels = images.values(image)[..., :3] * 2 - 1
    result["flat outside"] = float(np.mean(np.abs(pixels[:40, :40] - (0, 0, 1)) < 1e-3))
    result["image"] = [image.colorspace_settings.name, image.is_float, bool(image.packed_file), image.users]
    height = bpy.data.images["Hero_fake_displacement"]
    values = images.values(height)[..., 0] - 0.5
    result["height"] = [float(np.abs(values).max()), float(height["hffne_scale"]), float(np.median(values))]

    path = str(Path(bpy.app.tempdir) / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    copy = bpy.data.objects["Hero"]
    nodes = copy.material_slots[0].material.node_tree.nodes
    saved = images.values(nodes["HFFNE Normal"].image)[..., :3] * 2 - 1
    result["saved"] = float(np.abs(saved - pixels).max())
    return result


def case_mistakes():
    """Each wrong wish is refused with words, and leaves nothing."""
    start()
    obj = fake(grid=24, texture_size=64)
    remeshed(obj, MOVED)
    bare = bpy.data.objects.new("Bare", bpy.data.meshes.new("Bare"))
    bare.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    dense = remeshed(obj, MOVED)
    dense.name = "Dense"
    dense.modifiers.new("Mine", "MULTIRES")
    bpy.context.scene.collection.objects.link(bare)
    far = remeshed(obj, Matrix.Translation((9, 9, 9)))
    far.name = "Far"
    bpy.context.view_layer.update()
    had = counts()
    said = {}
    for name, arguments in {
        "no face": {"face": "Hero", "target": "Hero"},
        "itself": {"face": obj.name, "target": obj.name},
        "missing": {"face": obj.name, "target": "nobody"},
        "no uv": {"face": obj.name, "target": "Bare"},
        "other uv": {"face": obj.name, "target": "Hero", "uv_map": "lost"},
        "few landmarks": {"face": obj.name, "target": "Hero", "align": "LANDMARKS"},
        "far": {"face": obj.name, "target": "Far", "align": "PLACED"},
        "multires": {"face": obj.name, "target": "Dense", "align": "PLACED", "relief": True},
        "nothing": {"face": obj.name, "target": "Hero", "normal": False},
    }.items():
        try:
            bpy.ops.hffne.apply_to_mesh(**arguments)
            said[name] = ["", ""]
        except RuntimeError as error:
            said[name] = [session.state.last_error["code"], str(error)]
    return {"said": said, "left": counts() == had}


def case_relief():
    """The sculpted relief has the height of the map, in the object's own units, and can be taken off again."""
    start()
    obj = fake(grid=16, texture_size=128)
    matrix = Matrix.Scale(5, 4)
    copy = remeshed(obj, matrix)
    bumpy(copy)
    put_landmarks(obj, copy, 0)
    before, mesh = state(copy), copy.data.copy()
    arguments = {
        "face": obj.name,
        "target": copy.name,
        "normal": False,
        "displacement": True,
        "relief": True,
        "levels": 2,
    }
    arguments |= {"texture_size": "512", "largest": 0.0, "border": 0.01}
    had = counts()
    bpy.ops.hffne.apply_to_mesh(**arguments)
    made = {kind: counts()[kind] - had[kind] for kind in had}
    image = bpy.data.images["Hero_fake_displacement"]
    wanted = (images.values(image)[..., :1] - 0.5) * image["hffne_scale"]
    modifier = copy.modifiers["HFFNE Relief"]
    dense = evaluated(copy)
    modifier.show_viewport = False
    low = len(evaluated(copy)[0])
    modifier.show_viewport = True
    # The same levels without relief, to measure against.
    smooth = bpy.data.objects.new("Smooth", mesh)
    bpy.context.scene.collection.objects.link(smooth)
    smooth.modifiers.new("Plain", "MULTIRES")
    with bpy.context.temp_override(object=smooth, active_object=smooth):
        for _ in range(2):
            bpy.ops.object.multires_subdivide(modifier="Plain", mode="CATMULL_CLARK")
    flat = evaluated(smooth)
    from hffne_blender.numeric.resample import cubic

    there = ((dense[0] - flat[0]) * flat[1]).sum(1)
    expected = cubic(wanted, flat[2])[:, 0]
    bpy.data.meshes.remove(mesh)
    bpy.ops.hffne.apply_to_mesh(**arguments)
    again = evaluated(copy)
    return {
        "untouched": state(copy) == before,
        "made": made,
        "levels": copy.modifiers[0].total_levels,
        "dense": [low, len(dense[0])],
        "range": [float(there.min()), float(there.max())],
        "off": float(np.abs(there - expected).mean() / np.abs(expected).mean()),
        "again": float(np.abs(again[0] - dense[0]).max()),
        "modifiers": [other.name for other in copy.modifiers],
    }


def evaluated(obj):
    """(points (V, 3), normals (V, 3), a UV of each vertex (V, 2)) as the modifiers make them, object space."""
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    mesh = bpy.data.meshes.new_from_object(obj.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    points, normals = (np.empty(len(mesh.vertices) * 3, np.float32) for _ in range(2))
    mesh.vertices.foreach_get("co", points)
    mesh.vertex_normals.foreach_get("vector", normals)
    loops, uv = np.empty(len(mesh.loops), np.int32), np.empty(len(mesh.loops) * 2, np.float32)
    mesh.loops.foreach_get("vertex_index", loops)
    mesh.uv_layers[0].uv.foreach_get("vector", uv)
    of_vertex = np.zeros((len(mesh.vertices), 2))
    of_vertex[loops] = uv.reshape(-1, 2)
    bpy.data.meshes.remove(mesh)
    return points.reshape(-1, 3), normals.reshape(-1, 3), of_vertex


def choose(obj):
    for other in bpy.context.selected_objects:
        other.select_set(False)
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj


def case_twin():
    """A copy of a mesh with the detail is applied to anew: the first keeps all that it had. Deleted, it is gone."""
    start()
    obj = fake(grid=40, texture_size=256)
    hero = remeshed(obj, Matrix.Translation((0.3, 0, 0)))
    bumpy(hero)
    put_landmarks(obj, hero, 0)
    arguments = {"face": obj.name, "align": "PLACED", "texture_size": "512", "displacement": True}
    hero.location = (0, 0, 0)
    bpy.context.view_layer.update()
    bpy.ops.hffne.apply_to_mesh(target=hero.name, **arguments)

    def worn(target):
        skin = target.material_slots[0].material
        pictures = [skin.node_tree.nodes[name].image for name in ("HFFNE Normal", "HFFNE Height")]
        return [
            skin.name,
            [image.name for image in pictures],
            [hash(images.values(image).tobytes()) for image in pictures],
        ]

    before = worn(hero)
    choose(hero)
    bpy.ops.object.duplicate()
    twin = bpy.context.object
    result = {"shared": worn(twin) == before}
    for strength in (0.3, 0.5):
        bpy.ops.hffne.apply_to_mesh(target=twin.name, strength=strength, **arguments)
        result[f"kept {strength}"] = worn(hero) == before
        result[f"own {strength}"] = [one != other for one, other in zip(worn(twin), before)]
    result["images"] = len([image for image in bpy.data.images if image.name.startswith("Hero")])
    result["materials"] = len([skin for skin in bpy.data.materials if skin.name.startswith("Own skin HFFNE")])
    # Both go on as they are with the next run on the first.
    twin_has = worn(twin)
    bpy.ops.hffne.apply_to_mesh(target=hero.name, strength=2, **arguments)
    result["twin"] = worn(twin) == twin_has
    choose(twin)
    name = twin.name
    bpy.ops.object.delete()
    result["gone"] = name not in bpy.data.objects
    return result


def case_export(folder):
    """The maps of the artist's own mesh as files: the normal map, and the displacement in meters."""
    start()
    obj = fake(grid=40, texture_size=256)
    copy = remeshed(obj, Matrix.Scale(5, 4))
    bumpy(copy)
    put_landmarks(obj, copy, 0)
    choose(copy)
    result = {"before": bpy.ops.hffne.export_maps.poll()}
    bpy.ops.hffne.apply_to_mesh(face=obj.name, target=copy.name, texture_size="512", displacement=True)
    result["panel"] = drawn()
    image = copy["hffne_made_displacement"]
    # In the scene the mesh is five times as large as in its own space.
    wanted = (images.values(image)[..., 0] - 0.5) * image["hffne_scale"] * 5
    normal = images.values(copy["hffne_made_normal"])[..., :3]
    for file_format in ("OPEN_EXR", "PNG"):
        where = Path(folder) / file_format
        where.mkdir()
        result["state"] = list(
            bpy.ops.hffne.export_maps(directory=str(where), file_format=file_format, convention="DIRECTX")
        )
        read = {}
        for path in where.iterdir():
            loaded = bpy.data.images.load(str(path))
            loaded.colorspace_settings.name = "Non-Color"
            read[path.stem] = images.values(loaded)[..., :3]
        result["files"] = sorted(read)
        found = read["Hero_displacement"][..., 0]
        if file_format == "PNG":
            found = (found - 0.5) * image["hffne_scale"] * 5
        green = read["Hero_normal"] * [1, -1, 1] + [0, 1, 0]
        result[file_format] = [float(np.abs(found - wanted).max()), float(np.abs(green - normal).max())]
    result["range"] = float(np.abs(wanted).max())
    # A mesh with a material of its own gets no other one by baking, but its map can be exported.
    choose(obj)
    bpy.ops.hffne.bake(target=copy.name, resolution=64, extrusion=1)
    choose(copy)
    bpy.ops.hffne.export_maps(directory=str(Path(folder) / "PNG"))
    result["baked"] = sorted(path.name for path in (Path(folder) / "PNG").iterdir())
    bpy.context.view_layer.objects.active = None
    result["none"] = bpy.ops.hffne.export_maps.poll()
    return result


def drawn():
    """What the panel My Own Character offers."""
    from types import SimpleNamespace

    from blender_cases import Layout

    from hffne_blender.ui import character_panel

    lines = []
    character_panel.HFFNE_PT_character.draw(SimpleNamespace(layout=Layout(lines)), bpy.context)
    return lines


def case_heights():
    """Slopes made from a known height field come back as that field."""
    start()
    obj = fake(grid=64, texture_size=256)
    read = read_face(obj)
    shape = read.surface
    from hffne_blender.numeric import height_field, raster

    index, owner, share = raster.cover(read.uv[shape.triangles], 256)
    place = shape.at(owner, share)
    # 0.4 mm high waves, 12 mm long, fading with the slopes near the border.
    wave = np.array([330.0, 150.0, 410.0])
    true = 0.0004 * np.sin(place @ wave)
    gradient = 0.0004 * np.cos(place @ wave)[:, None] * wave
    corners = shape.triangles[owner]
    tangent = np.einsum("kc,kcx->kx", share, read.tangent[corners])
    normal = np.einsum("kc,kcx->kx", share, shape.normals[owner])
    bitangent = np.cross(normal, tangent) * read.sign[corners[:, 0], None]

    class Known:
        def slopes_at(self, uv, step):
            return -np.stack([(gradient * tangent).sum(1), (gradient * bitangent).sum(1)], 1)

    plane = height_field.heights(read, Known(), 256).reshape(-1)[index]
    inner = np.einsum("kc,kc->k", share, read.border_distance[corners]) > 0.015
    found, wanted = plane[inner] - plane[inner].mean(), true[inner] - true[inner].mean()
    return {
        "correlation": float(np.corrcoef(found, wanted)[0, 1]),
        "gain": float((found * wanted).sum() / (wanted * wanted).sum()),
    }


def case_warp():
    from hffne_blender.numeric.warp import Warp

    generator = np.random.default_rng(3)
    at = generator.normal(size=(40, 3))
    moved = at + 0.1 * generator.normal(size=(40, 3))
    turn = np.array(Euler((0.3, 0.2, 0.1)).to_matrix())
    probe = generator.normal(size=(100, 3)) * 3
    flat = at * [1, 1, 0]
    return {
        "met": float(np.abs(Warp(at, moved)(at) - moved).max()),
        "affine": float(np.abs(Warp(at, at @ turn * 2 + 1)(probe) - (probe @ turn * 2 + 1)).max()),
        "plane": float(np.abs(Warp(flat, flat + np.array([0, 0, 1]))(flat) - flat - [0, 0, 1]).max()),
    }


def makehuman():
    """The head of MakeHuman's base mesh (CC0) as MPFB's users have it: its own UVs, eyes and lashes of their own
    material, shape keys and an armature that turns it."""
    stored = np.load(TESTS / "data" / "makehuman_head.npz")
    mesh = bpy.data.meshes.new("Human")
    mesh.from_pydata(stored["points"].tolist(), [], stored["quads"].tolist())
    layer = mesh.uv_layers.new(name="UVMap")
    layer.uv.foreach_set("vector", stored["uvs"][stored["uv_quads"].ravel()].astype(np.float32).ravel())
    for name in ("skin", "eyes"):
        mesh.materials.append(bpy.data.materials.new(name))
        if mesh.materials[-1].node_tree is None:
            mesh.materials[-1].use_nodes = True
    mesh.polygons.foreach_set("material_index", (~stored["skin"]).astype(np.int32))
    mesh.shade_smooth()
    human = bpy.data.objects.new("Human", mesh)
    bpy.context.scene.collection.objects.link(human)
    human.shape_key_add(name="Basis")
    wide = human.shape_key_add(name="Wide")
    for point, vertex in zip(wide.data, mesh.vertices):
        point.co.x = vertex.co.x * (1.05 if vertex.co.z > 0.1 else 1)
    wide.value = 0.5

    bones = bpy.data.armatures.new("Rig")
    rig = bpy.data.objects.new("Rig", bones)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bone = bones.edit_bones.new("head")
    bone.head, bone.tail = (0, 0, 0.02), (0, 0, 0.25)
    bpy.ops.object.mode_set(mode="OBJECT")
    group = human.vertex_groups.new(name="head")
    for vertex in mesh.vertices:
        group.add([vertex.index], min(1, max(0, vertex.co.z / 0.05)), "REPLACE")
    human.modifiers.new("Armature", "ARMATURE").object = rig
    rig.pose.bones["head"].rotation_mode = "XYZ"
    rig.pose.bones["head"].rotation_euler = (0.1, 0.15, 0.05)
    human.location = (0.5, 0, 0)
    bpy.context.view_layer.objects.active = human
    bpy.context.view_layer.update()
    return human


def eyes_of(human):
    """The middles (2, 3) of the eyeballs where the armature has put them, world space, the mesh's right one first."""
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    mesh = human.evaluated_get(graph).to_mesh()
    ball = sorted({vertex for polygon in mesh.polygons if polygon.material_index == 1 for vertex in polygon.vertices})
    points = np.array([human.matrix_world @ mesh.vertices[index].co for index in ball])
    side = points[:, 0] < np.median(points[:, 0])
    return np.stack([points[side].mean(0), points[~side].mean(0)])


def case_other_topology(python, photo):
    """A real face onto MakeHuman's head: shape keys, armature and materials stay, the detail arrives, undo undoes."""
    start()
    bpy.ops.hffne.generate(photo=photo, texture_size="1024", engine_python=python, maps=set())
    obj = bpy.context.object
    other = fake(grid=24, texture_size=64)
    human = makehuman()
    obj.select_set(False)
    result = {"latest": faces.face_for(bpy.context, human) == other}
    bpy.context.scene.hffne.applied_face = obj
    result["chosen"] = faces.face_for(bpy.context, human) == obj

    bpy.ops.hffne.place_landmarks(engine_python=python)
    found = {index: np.array(empty.matrix_world.translation) for index, empty in landmarks.empties_of(human).items()}
    middles = np.stack([(found[36] + found[39]) / 2, (found[42] + found[45]) / 2])
    # Across and up; an eyeball's middle lies behind the lids.
    result["eyes off"] = float(np.abs((middles - eyes_of(human))[:, [0, 2]]).max())
    landmarks.remove(human)
    bpy.ops.ed.undo_push(message="start")

    before, rest = state(human), facts(human)
    result["state"] = list(
        bpy.ops.hffne.apply_to_mesh("EXEC_DEFAULT", True, texture_size="1024", displacement=True, engine_python=python)
    )
    human = bpy.data.objects["Human"]
    result["untouched"] = state(human) == before and facts(human)[:2] == rest[:2]
    result["slots"] = [slot.material.name for slot in human.material_slots]
    # Where the relief has arrived on the skin's UVs, and how much of it.
    image = next(
        image for image in bpy.data.images if image.name.startswith("Human_") and image.name.endswith("_normal")
    )
    slope = np.linalg.norm((images.values(image)[..., :2] * 2 - 1), axis=2)
    result["relief"] = [float((slope > 0.02).mean()), float(slope.max())]
    result["eyes flat"] = float(slope_on(human, slope, 1))
    bpy.ops.ed.undo()
    human = bpy.data.objects["Human"]
    result["undone"] = state(human) == before and facts(human) == rest

    arguments = {"texture_size": "1024", "normal": False, "relief": True, "levels": 1, "engine_python": python}
    bpy.ops.hffne.apply_to_mesh("EXEC_DEFAULT", True, **arguments)
    human = bpy.data.objects["Human"]
    modifier = human.modifiers["HFFNE Relief"]
    result["keys"] = facts(human)[0] == rest[0] and state(human) == before
    result["modifiers"] = [other.name for other in human.modifiers]
    dense = evaluated(human)[0]
    modifier.show_viewport = False
    result["dense"] = [len(evaluated(human)[0]), len(dense)]
    modifier.show_viewport = True
    # The shape key and the armature still move what is sculpted.
    human.data.shape_keys.key_blocks["Wide"].value = 1
    bpy.data.objects["Rig"].pose.bones["head"].rotation_euler = (0, 0, 0.4)
    moved = np.linalg.norm(evaluated(human)[0] - dense, axis=1)
    result["alive"] = [float(moved.max()), bool(np.isfinite(moved).all())]
    return result


def slope_on(human, slope, slot):
    """The mean slope of a normal map in the middles of the polygons of a material slot."""
    layer = human.data.uv_layers[0].uv
    middles = [np.mean([layer[loop].vector for loop in polygon.loop_indices], axis=0)
               for polygon in human.data.polygons if polygon.material_index == slot]  # fmt: skip
    column, row = (np.clip(np.array(middles), 0, 0.999) * len(slope)).astype(int).T
    return slope[len(slope) - 1 - row, column].mean()


def facts(obj):
    """(shape keys, modifiers, materials) of an object."""
    keys = [(key.name, key.value) for key in obj.data.shape_keys.key_blocks]
    return keys, [modifier.name for modifier in obj.modifiers], [slot.material.name for slot in obj.material_slots]


def case_auto(python, photo):
    """The engine looks at a real face's remeshed copy, a giant that looks elsewhere, and finds its place."""
    start()
    bpy.ops.hffne.generate(photo=photo, engine_python=python, texture_size="512", grid="64")
    obj = bpy.context.object
    turned = Matrix.Translation((3, 1, 8)) @ Euler((0.1, 0.05, 0.2)).to_matrix().to_4x4() @ Matrix.Scale(5, 4)
    copy = remeshed(obj, turned)
    had = {kind: len(getattr(bpy.data, kind)) for kind in ("objects", "meshes")}
    bpy.ops.hffne.apply_to_mesh(face=obj.name, target=copy.name, engine_python=python, **ALL)
    result = {"same": had == {kind: len(getattr(bpy.data, kind)) for kind in had}}
    result.update(angle(obj, copy))
    bpy.ops.hffne.place_landmarks(target=copy.name, engine_python=python)
    placed, points = landmarks.positions(copy)
    matrix = np.array(turned)
    known = read_face(obj).landmarks[placed] @ matrix[:3, :3].T + matrix[:3, 3]
    # In millimeters of a natural head.
    result["landmarks"] = float(np.linalg.norm(points - known, axis=1).mean() / 5 * 1000)
    hffne_blender.unregister()
    return result


if __name__ == "__main__":
    answer = globals()[f"case_{sys.argv[1]}"](*sys.argv[2:])
    print("RESULT " + json.dumps(answer, default=float), flush=True)
