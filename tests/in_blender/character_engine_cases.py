# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases about Apply to My Mesh with a real engine: a head of another topology, and alignment by itself."""

import bpy
import case_process
import numpy as np
from case_process import TESTS, start
from mathutils import Euler, Matrix
from target_mesh import ALL, angle, evaluated, fake, remeshed_skin, state

from hffne_blender.character import landmarks
from hffne_blender.character.read_face import read_face
from hffne_blender.operators.bases import faces
from hffne_blender.scene import images


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
    for point, vertex in zip(wide.data, mesh.vertices, strict=True):
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
    bpy.ops.hffne.generate(photo=photo, base="MASK", texture_size="1024", engine_python=python, maps=set())
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
    """The engine looks at a real head's remeshed skin, a giant that looks elsewhere, and finds its place."""
    start()
    bpy.ops.hffne.generate(photo=photo, base="HEAD", engine_python=python, texture_size="512", maps=set())
    obj = bpy.context.object
    turned = Matrix.Translation((3, 1, 8)) @ Euler((0.1, 0.05, 0.2)).to_matrix().to_4x4() @ Matrix.Scale(5, 4)
    copy = remeshed_skin(obj, turned)
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
    return result


if __name__ == "__main__":
    case_process.main(globals())
