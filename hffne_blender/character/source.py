# SPDX-License-Identifier: GPL-3.0-or-later
"""A generated face as the source of detail: where its normal map leads, how far it is trusted, where its landmarks lie."""

from dataclasses import dataclass

import numpy as np
from mathutils.kdtree import KDTree

from ..numeric import tangent
from ..scene import camera, face_attributes
from . import surface

# The regions of the engine's mesh that are no skin.
EYES = "eyes"


class TransferError(Exception):
    """The detail cannot be carried over: `code`, `message`, `hint`."""

    def __init__(self, code, message, hint=""):
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint

    def as_dict(self):
        return {"code": self.code, "message": self.message, "hint": self.hint}


@dataclass(frozen=True)
class Source:
    """A face in world space.

    surface     character.surface.Surface
    uv          (V, 2) of the vertices: the face is one island, so each vertex has one
    tangent     (V, 3) unit, world space; sign (V,) of the bitangent
    rim         (V,) meters of the face's own size (object space) to its border
    confidence  (V,) 0..1: how well the photo saw it
    eyes        (V,) 0..1
    normal      (T, T, 3) float32, the tangent-space normal map, row 0 at v = 1
    landmarks   (68, 3) world space, iBUG order, or None
    meter       world units a meter of the face's own size
    """

    surface: surface.Surface
    uv: np.ndarray
    tangent: np.ndarray
    sign: np.ndarray
    rim: np.ndarray
    confidence: np.ndarray
    eyes: np.ndarray
    normal: np.ndarray
    landmarks: np.ndarray
    meter: float


def is_face(obj):
    return obj is not None and obj.type == "MESH" and camera.PROPERTY in obj


def read(obj):
    """The Source of a face object. Raises TransferError when it carries no normal map."""
    mesh = obj.data
    image, uv_name = _normal_map(obj)
    matrix = np.array(obj.matrix_world)
    shape = surface.of_mesh(mesh, matrix, uv_name)
    loops = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", loops)
    uv = np.empty(len(loops) * 2, np.float32)
    mesh.uv_layers[uv_name].uv.foreach_get("vector", uv)
    tangents, signs = tangent.corner_tangents(mesh, uv_name)
    count = len(mesh.vertices)
    tangents = _to_vertices(tangents, loops, count) @ matrix[:3, :3].T
    eyes = np.zeros(count)
    group = obj.vertex_groups.get(EYES)
    if group is not None:
        for vertex in mesh.vertices:
            for entry in vertex.groups:
                if entry.group == group.index:
                    eyes[vertex.index] = entry.weight
    uv = _to_vertices(uv.reshape(-1, 2).astype(float), loops, count)
    meter = float(np.cbrt(abs(np.linalg.det(matrix[:3, :3]))))
    return Source(
        surface=shape,
        uv=uv,
        tangent=tangents / np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-12),
        sign=np.sign(_to_vertices(signs[:, None], loops, count)[:, 0]) * np.sign(np.linalg.det(matrix[:3, :3])),
        rim=_rim(mesh),
        confidence=face_attributes.confidence(obj),
        eyes=eyes,
        normal=pixels_of(image)[..., :3] * 2 - 1,
        landmarks=_landmarks(obj, shape, uv),
        meter=meter,
    )


def pixels_of(image):
    """The pixels (H, W, 4) float32 of an image as they are stored, row 0 at the top."""
    values = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(image.size[1], image.size[0], 4)[::-1]


def on_surface(triangles, corner_uvs, at):
    """(triangle, weights (3,)) of each of the UV points `at` (K, 2); the nearest triangle where none holds it."""
    first, second = corner_uvs[:, 1] - corner_uvs[:, 0], corner_uvs[:, 2] - corner_uvs[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    area = np.where(np.abs(area) < 1e-14, 1e-14, area)
    owners, weights = [], []
    for point in at:
        offset = point - corner_uvs[:, 0]
        b = (offset[:, 0] * second[:, 1] - offset[:, 1] * second[:, 0]) / area
        c = (offset[:, 1] * first[:, 0] - offset[:, 0] * first[:, 1]) / area
        every = np.stack([1 - b - c, b, c], axis=1)
        best = int(np.argmax(every.min(axis=1)))
        clipped = np.clip(every[best], 0, 1)
        owners.append(best)
        weights.append(clipped / clipped.sum())
    return np.array(owners), np.array(weights)


def _normal_map(obj):
    """The face's normal texture and the name of its UV map."""
    if not obj.data.uv_layers:
        raise TransferError("no_uv", f"The face '{obj.name}' has lost its UV map.", "Generate it again.")
    uv_name = obj.data.uv_layers.active.name
    image = obj.get(face_attributes.NORMAL)
    for slot in obj.material_slots:
        if slot.material is None or slot.material.node_tree is None:
            continue
        for node in slot.material.node_tree.nodes:
            if node.type == "NORMAL_MAP" and node.space == "TANGENT":
                image = image or _image_behind(node.inputs["Color"])
                uv_name = node.uv_map if node.uv_map in obj.data.uv_layers else uv_name
    if image is None or not image.size[0]:
        raise TransferError(
            "no_normal_map",
            f"The face '{obj.name}' has no normal map any more.",
            "Generate it again, or undo what was changed in its material.",
        )
    return image, uv_name


def _image_behind(socket, depth=8):
    """The image of the first Image Texture found against the stream."""
    for link in socket.links if depth else ():
        if link.from_node.type == "TEX_IMAGE" and link.from_node.image is not None:
            return link.from_node.image
        for further in link.from_node.inputs:
            found = _image_behind(further, depth - 1)
            if found is not None:
                return found
    return None


def _landmarks(obj, shape, uv):
    known = face_attributes.landmark_uvs(obj)
    if known is None:
        return None
    owners, weights = on_surface(shape.triangles, uv[shape.triangles], known)
    return shape.at(owners, weights)


def _to_vertices(values, loops, count):
    total = np.zeros((count, values.shape[1]))
    for channel in range(values.shape[1]):
        total[:, channel] = np.bincount(loops, values[:, channel], count)
    return total / np.maximum(np.bincount(loops, minlength=count), 1)[:, None]


def _rim(mesh):
    """The distance (V,) from each vertex to the mesh's border, object space."""
    edges = np.empty(len(mesh.edges) * 2, np.int32)
    mesh.edges.foreach_get("vertices", edges)
    edges = edges.reshape(-1, 2)
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    points = points.reshape(-1, 3).astype(float)
    loop_edges = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("edge_index", loop_edges)
    border = edges[np.bincount(loop_edges, minlength=len(edges)) == 1]
    # Straight to the nearest border vertex: what counts is the soft edge, a few centimeters wide.
    rim = np.unique(border)
    if not len(rim):
        return np.full(len(points), 1.0)
    tree = KDTree(len(rim))
    for index in rim:
        tree.insert(points[index], int(index))
    tree.balance()
    return np.array([tree.find(point)[2] for point in points])
