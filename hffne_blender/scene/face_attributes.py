# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine measured of a face, stored on its object for later use.

"hffne_confidence"  on the mesh, a float per vertex: how well the photo shows it, 0..1
"hffne_landmarks"   on the object, a JSON text: the 68 UVs of the landmarks, iBUG order
"hffne_normal"      on the object: the tangent-space normal map, whatever the material does with it
"hffne_number"      on the object: faces of a file are numbered in the order in which they were made
"""

import json

import bpy
import numpy as np

from ..engine import protocol
from ..numeric.received_face import ReceivedFace
from . import camera, stored
from .access import mesh_of, read_array, write_array

CONFIDENCE = "hffne_confidence"
LANDMARKS = "hffne_landmarks"
NORMAL = "hffne_normal"
NUMBER = "hffne_number"


def is_face(obj: bpy.types.Object | None) -> bool:
    """Whether an object (or None) is a face that this extension built from a photo."""
    return obj is not None and obj.type == "MESH" and camera.load(obj) is not None


def number_of(obj: bpy.types.Object) -> int:
    """The number of a face, the larger the later it was made; 0 for what has none."""
    return int(min(stored.number_of(obj, NUMBER) or 0, 2**30))


def store(obj: bpy.types.Object, received: ReceivedFace, normal_image: bpy.types.Image) -> None:
    """Store the attributes on a face object that was built from `received`."""
    obj[NORMAL] = normal_image
    obj[NUMBER] = 1 + max((number_of(other) for other in bpy.data.objects), default=0)
    if received.landmarks is not None:
        obj[LANDMARKS] = json.dumps(np.round(received.landmarks.astype(float), 5).tolist())
    if received.confidence is not None:
        size = len(received.confidence)
        vertices, uvs = received.texture_corners()
        col = np.clip((uvs[:, 0] * size).astype(int), 0, size - 1)
        row = np.clip(((1 - uvs[:, 1]) * size).astype(int), 0, size - 1)
        # What is not skin is not on the textures: nothing is known of it.
        values = np.zeros(len(received.vertices), np.float32)
        values[vertices] = received.confidence[row, col] / np.float32(65535)
        # After validate() a mesh may have fewer faces, never fewer vertices.
        layer = mesh_of(obj).attributes.new(CONFIDENCE, "FLOAT", "POINT")
        assert isinstance(layer, bpy.types.FloatAttribute)
        write_array(layer.data, "value", values)


def landmark_uvs(obj: bpy.types.Object) -> np.ndarray | None:
    """The landmarks' UVs (68, 2) float64, or None for a face without them."""
    try:
        uvs = np.array(stored.json_of(obj, LANDMARKS), float)
    except (TypeError, ValueError, OverflowError):
        return None
    return uvs if uvs.shape == (protocol.LANDMARKS, 2) and np.isfinite(uvs).all() else None


def confidence(obj: bpy.types.Object) -> np.ndarray:
    """The confidence (V,) float64 of the vertices; 1 where it is unknown."""
    mesh = mesh_of(obj)
    layer = mesh.attributes.get(CONFIDENCE)
    if isinstance(layer, bpy.types.FloatAttribute) and len(layer.data) == len(mesh.vertices):
        return read_array(layer.data, "value", 1).astype(float)
    return np.ones(len(mesh.vertices))
