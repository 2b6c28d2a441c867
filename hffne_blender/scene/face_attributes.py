# SPDX-License-Identifier: GPL-3.0-or-later
"""What else the engine knows of a face, kept on its object for whoever works on with it.

"hffne_confidence"  on the mesh, a float of each vertex: how well the photo saw it, 0..1
"hffne_landmarks"   on the object, a JSON text: the 68 UVs of the landmarks, iBUG order
"hffne_normal"      on the object: the tangent-space normal map, whatever the material does with it
"""

import json

import numpy as np

CONFIDENCE = "hffne_confidence"
LANDMARKS = "hffne_landmarks"
NORMAL = "hffne_normal"


def store(obj, asset, normal_image):
    """Keep them on a face object that was built from a `FaceAsset`."""
    obj[NORMAL] = normal_image
    if asset.landmarks is not None:
        obj[LANDMARKS] = json.dumps(np.round(asset.landmarks.astype(float), 5).tolist())
    if asset.confidence is not None:
        size = len(asset.confidence)
        col = np.clip((asset.uvs[:, 0] * size).astype(int), 0, size - 1)
        row = np.clip(((1 - asset.uvs[:, 1]) * size).astype(int), 0, size - 1)
        # After validate() a mesh may have fewer faces, never fewer vertices.
        layer = obj.data.attributes.new(CONFIDENCE, "FLOAT", "POINT")
        layer.data.foreach_set("value", np.ascontiguousarray(asset.confidence[row, col], np.float32))


def landmark_uvs(obj):
    """(68, 2) float64, or None for a face that does not know them."""
    text = obj.get(LANDMARKS)
    return np.array(json.loads(text), float) if text else None


def confidence(obj):
    """(V,) float64; 1 where nothing is known."""
    layer = obj.data.attributes.get(CONFIDENCE)
    values = np.ones(len(obj.data.vertices), np.float32)
    if layer is not None and len(layer.data) == len(values):
        layer.data.foreach_get("value", values)
    return values.astype(float)
