# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a face object as the source of detail: its surface, normal map, confidence and landmarks."""

import bpy
import numpy as np
from mathutils.kdtree import KDTree

from ..numeric.detail_source import DetailSource
from ..numeric.vectors import mean_scale, unit
from ..numeric.world_surface import WorldSurface, locate_uvs
from ..scene import face_attributes, images, mesh_arrays
from ..scene.access import mesh_of, read_array
from ..scene.nodes import input_of, links_of, source_node
from .errors import TransferError

# The vertex group of the engine's mesh that covers the eyes.
EYES = "eyes"
# Nodes that are followed backwards from a normal map node to its image.
_DEPTH = 8


def read_face(obj: bpy.types.Object) -> DetailSource:
    """The DetailSource of a face object. Raises TransferError when it has no normal map or no UV map."""
    mesh = mesh_of(obj)
    image, uv_name = _normal_map(obj)
    matrix = np.array(obj.matrix_world)
    surface = mesh_arrays.world_surface(mesh, matrix, uv_name)
    loops, count = mesh_arrays.loop_vertices(mesh), len(mesh.vertices)
    tangents, signs = mesh_arrays.loop_tangents(mesh, uv_name)
    uv = _vertex_means(mesh_arrays.loop_uvs(mesh, uv_name).astype(float), loops, count)
    return DetailSource(
        surface=surface,
        uv=uv,
        tangent=unit(_vertex_means(tangents, loops, count) @ matrix[:3, :3].T),
        sign=np.sign(_vertex_means(signs[:, None], loops, count)[:, 0]) * np.sign(np.linalg.det(matrix[:3, :3])),
        border_distance=_border_distance(mesh),
        confidence=face_attributes.confidence(obj),
        eyes=_group_weights(obj, EYES),
        normal=images.normals(image),
        landmarks=_landmarks(obj, surface, uv),
        meter=mean_scale(matrix),
    )


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


def _landmarks(obj: bpy.types.Object, surface: WorldSurface, uv: np.ndarray) -> np.ndarray | None:
    """The landmarks (68, 3) in world space, or None for a face without them."""
    uvs = face_attributes.landmark_uvs(obj)
    if uvs is None:
        return None
    return surface.at(*locate_uvs(uv[surface.triangles], uvs))


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


def _vertex_means(values: np.ndarray, loops: np.ndarray, count: int) -> np.ndarray:
    """The means (count, C) over each vertex of the values (L, C) of loops whose vertices are `loops` (L,)."""
    total = np.zeros((count, values.shape[1]))
    for channel in range(values.shape[1]):
        total[:, channel] = np.bincount(loops, values[:, channel], count)
    return total / np.maximum(np.bincount(loops, minlength=count), 1)[:, None]


def _border_distance(mesh: bpy.types.Mesh) -> np.ndarray:
    """The distance (V,) from each vertex to the mesh's border, object space; 1 for a mesh without a border."""
    edges = read_array(mesh.edges, "vertices", 2, np.int32)
    points = mesh_arrays.points(mesh).astype(float)
    loop_edges = read_array(mesh.loops, "edge_index", 1, np.int32)
    # In a straight line to the nearest border vertex: it is used for a soft edge, a few centimeters wide.
    border = np.unique(edges[np.bincount(loop_edges, minlength=len(edges)) == 1])
    if not len(border):
        return np.full(len(points), 1.0)
    tree = KDTree(len(border))
    for index in border:
        tree.insert(points[index].tolist(), int(index))
    tree.balance()
    return np.array([tree.find(point)[2] for point in points.tolist()])
