# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the face model: an ellipsoid with two identities and ten expressions, of which nine move nothing."""

import numpy as np

from hffne.synthesis import fit
from hffne.synthesis.face_model import FaceModel
from hffne.synthesis.uv_layout import CENTER

AXES = np.array([8.0, 11.0, 9.0])


def ellipsoid_model():
    """A FaceModel whose surface and normals are known by formula."""
    rows, columns = 70, 130
    polar, around = np.meshgrid(np.linspace(0, np.pi, rows), np.arange(columns) / columns * 2 * np.pi, indexing="ij")
    ball = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], -1).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b = index[:-1], index[1:]
    c, d = np.roll(b, -1, 1), np.roll(a, -1, 1)
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    neutral = (ball * AXES + CENTER).astype(np.float32)
    identity = np.zeros((fit.IDENTITIES, len(ball), 3), np.float32)
    identity[0, :, 0] = ball[:, 0]
    identity[1, :, 1] = ball[:, 1] * 1.5
    expression = np.zeros((10, len(ball), 3), np.float32)
    expression[0, :, 2] = np.maximum(ball[:, 2], 0)
    return FaceModel(neutral, identity, expression, [f"expression{i}" for i in range(10)], triangles.astype(np.int32))


def ellipsoid_normals(points):
    """Unit normals (..., 3) at points (..., 3) around the center."""
    normal = points / AXES**2
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)
