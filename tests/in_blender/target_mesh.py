# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes to apply a face to, made from the face itself, and what the cases compare of them."""

import bpy
import numpy as np
from mathutils import Euler, Matrix

import fake_face
from hffne_blender.bake.skin_alone import skin_alone
from hffne_blender.character import landmarks
from hffne_blender.character.read_face import read_face
from hffne_blender.commands import roundtrip
from hffne_blender.numeric.received_face import ReceivedFace
from hffne_blender.scene import camera, face

# What must be transferred to a copy of the same shape: all of it, up to the very border.
ALL = {"largest": 0.0, "border": 0.001, "skip_eyes": False, "texture_size": "512"}
MOVED = Matrix.Translation((1, 2, 3)) @ Euler((0.15, -0.1, 0.2)).to_matrix().to_4x4() @ Matrix.Scale(7, 4)


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


def remeshed_skin(obj, matrix=None):
    """The head's skin alone as on the photo, with other vertices and UVs."""
    other = bpy.data.objects.new("other", bpy.data.meshes.new("other"))
    with skin_alone(bpy.context, obj, other) as skin:
        copy = remeshed(skin, matrix or Matrix.Identity(4))
    bpy.data.objects.remove(other)
    return copy


def put_landmarks(obj, copy, noise):
    """Landmarks on a copy where they belong, but for the artist's unsteady hand (meters of the face)."""
    generator = np.random.default_rng(5)
    known = read_face(obj).landmarks
    matrix = np.array(copy.matrix_world)
    wanted = sorted(landmarks.NAMES)
    points = known[wanted] + generator.normal(size=(len(wanted), 3)) * noise
    points = points @ matrix[:3, :3].T + matrix[:3, 3]
    landmarks.place(bpy.context, copy, dict(zip(wanted, points, strict=True)), 0.01)


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
