# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a face object as the source of detail: its surface, normal map, confidence and landmarks."""

import bpy
import numpy as np
from mathutils.kdtree import KDTree

from ..numeric import uv_charts
from ..numeric.detail_source import DetailSource
from ..numeric.vectors import mean_scale, mirrors, unit
from ..numeric.world_surface import WorldSurface, locate_uvs
from ..scene import face_attributes, head, images, mesh_arrays, shape_keys, textures
from ..scene.access import first_material, mesh_of
from ..scene.nodes import input_of, links_of, source_node
from ..system.required import required
from .errors import TransferError

# The vertex group of the engine's mesh that covers the eyes.
EYES = "eyes"
# Nodes that are followed backwards from a normal map node to its image.
_DEPTH = 8


def read_face(obj: bpy.types.Object) -> DetailSource:
    """The DetailSource of a face object as its shape keys move it now: a mask, or the largest chart of a head's skin.

    Raises TransferError when it has no normal map or no UV map.
    """
    image, uv_name = _normal_map(obj)
    matrix = np.array(obj.matrix_world)
    slot = head.skin_slot(obj)
    with shape_keys.shown_mesh(obj) as mesh:
        whole = mesh_arrays.world_surface(mesh, matrix, uv_name, slot)
        loops = mesh_arrays.triangle_loops(mesh, slot)
        tangents, signs = mesh_arrays.loop_tangents(mesh, uv_name)
        points = mesh_arrays.points(mesh).astype(float)
    corner_uvs = required(whole.uvs)
    triangles, vertices = uv_charts.split_at_seams(whole.triangles, corner_uvs)
    if mirrors(matrix):
        # As `world_surface` turns its triangles.
        loops = loops[:, ::-1]
    if slot is not None:
        keep = uv_charts.largest_chart(triangles, corner_uvs)
        loops, normals, corner_uvs = loops[keep], whole.normals[keep], corner_uvs[keep]
        used, triangles = np.unique(triangles[keep], return_inverse=True)
        triangles, vertices = triangles.reshape(-1, 3), vertices[used]
    else:
        normals = whole.normals
    count, corners = len(vertices), triangles.ravel()
    surface = WorldSurface(whole.points[vertices], triangles.astype(np.int32), normals, corner_uvs)
    sign = np.sign(_vertex_means(signs[loops.ravel(), None], corners, count)[:, 0])
    return DetailSource(
        surface=surface,
        uv=_vertex_means(corner_uvs.reshape(-1, 2), corners, count),
        tangent=unit(_vertex_means(tangents[loops.ravel()], corners, count) @ matrix[:3, :3].T),
        sign=sign * np.sign(np.linalg.det(matrix[:3, :3])),
        border_distance=_border_distance(points[vertices], triangles),
        confidence=face_attributes.confidence(obj)[vertices],
        eyes=_group_weights(obj, EYES)[vertices],
        normal=images.normals(image),
        landmarks=_landmarks(obj, surface),
        meter=mean_scale(matrix),
        brightness=_brightness(obj),
    )


def whole_surface(obj: bpy.types.Object) -> WorldSurface:
    """A face with all its parts as its shape keys move it now, world space."""
    with shape_keys.shown_mesh(obj) as mesh:
        return mesh_arrays.world_surface(mesh, np.array(obj.matrix_world))


def _brightness(obj: bpy.types.Object) -> np.ndarray | None:
    """The logarithm (T, T, 1) of the brightness of a face's color texture, or None without one."""
    image = textures.of_material(first_material(obj)).get("color")
    if image is None or not image.size[0]:
        return None
    return np.log(0.02 + images.values(image)[..., :3].mean(2, keepdims=True))


def _normal_map(obj: bpy.types.Object) -> tuple[bpy.types.Image, str]:
    """The face's normal texture and the name of its UV map."""
    layers = mesh_of(obj).uv_layers
    if layers.active is None:
        raise TransferError("no_uv", f"The face '{obj.name}' has lost its UV map.", "Generate it again.")
    uv_name = layers.active.name
    image = obj.get(face_attributes.NORMAL)
    for slot in obj.material_slots:
        if slot.material is None or slot.material.node_tree is None:
            continue
        for node in slot.material.node_tree.nodes:
            if isinstance(node, bpy.types.ShaderNodeNormalMap) and node.space == "TANGENT":
                image = image or _linked_image(input_of(node, "Color"))
                uv_name = node.uv_map if node.uv_map in layers else uv_name
    if not isinstance(image, bpy.types.Image) or not image.size[0]:
        raise TransferError(
            "no_normal_map",
            f"The face '{obj.name}' has no normal map any more.",
            "Generate it again, or undo what was changed in its material.",
        )
    return image, uv_name


def _linked_image(socket: bpy.types.NodeSocket, depth: int = _DEPTH) -> bpy.types.Image | None:
    """The image of the first Image Texture node found by following the links backwards."""
    for link in links_of(socket) if depth else ():
        node = source_node(link)
        if isinstance(node, bpy.types.ShaderNodeTexImage) and node.image is not None:
            return node.image
        for further in node.inputs:
            image = _linked_image(further, depth - 1)
            if image is not None:
                return image
    return None


def _landmarks(obj: bpy.types.Object, surface: WorldSurface) -> np.ndarray | None:
    """The landmarks (68, 3) in world space, or None for a face without them."""
    uvs = face_attributes.landmark_uvs(obj)
    if uvs is None:
        return None
    return surface.at(*locate_uvs(required(surface.uvs), uvs))


def _group_weights(obj: bpy.types.Object, name: str) -> np.ndarray:
    """The weights (V,) of a vertex group; 0 where there is no such group."""
    mesh = mesh_of(obj)
    weights = np.zeros(len(mesh.vertices))
    group = obj.vertex_groups.get(name)
    if group is not None:
        for vertex in mesh.vertices:
            for entry in vertex.groups:
                if entry.group == group.index:
                    weights[vertex.index] = entry.weight
    return weights


def _vertex_means(values: np.ndarray, vertices: np.ndarray, count: int) -> np.ndarray:
    """The means (count, C) over each vertex of the values (L, C) of corners whose vertices are `vertices` (L,)."""
    total = np.zeros((count, values.shape[1]))
    for channel in range(values.shape[1]):
        total[:, channel] = np.bincount(vertices, values[:, channel], count)
    return total / np.maximum(np.bincount(vertices, minlength=count), 1)[:, None]


def _border_distance(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The distance (V,) from each point (V, 3) to the outer border of the triangles; 1 where there is no border.

    A head's mouth and eyes are holes, around which nothing ends.
    """
    # In a straight line to the nearest border vertex: it is used for a soft edge, a few centimeters wide.
    border = uv_charts.outer_border(triangles, points)
    if not len(border):
        return np.full(len(points), 1.0)
    tree = KDTree(len(border))
    for index in border:
        tree.insert(points[index].tolist(), int(index))
    tree.balance()
    return np.array([tree.find(point)[2] for point in points.tolist()])
