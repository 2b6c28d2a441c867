# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the second head family, in its files' own layout: ellipsoids with two balls for eyes, in meters."""

import json

import cv2
import numpy as np

from ellipsoid_model import ellipsoid_model
from hffne.synthesis.avatar_landmarks import LANDMARK_UVS
from hffne.synthesis.face_model import LANDMARKS

MIDDLE = np.array([0.0, 1.6, 0.05])  # of the face model's origin, in meters
_MESHES = ("h_L_eye", "h_R_eye", "h_L_gland", "h_R_gland", "h_TeethDown", "h_TeethUp")


def write_heads(folder, names, wigs=()):
    """Files of people of these names, each a little wider than the one before; `wigs`: who has hair cards."""
    model = ellipsoid_model()
    (folder / "tex").mkdir(parents=True)
    uv = _skin_uv(len(model.neutral))
    for number, name in enumerate(names):
        wide = np.array([1 + 0.02 * number, 1, 1])
        meshes = [(model.neutral * wide / 100 + MIDDLE, uv, model.triangles)]
        meshes += [
            (place + MIDDLE, np.full((4, 2), 0.03), np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]]))
            for place in (_tetrahedron(k) for k in range(len(_MESHES)))
        ]
        parts = [["H_Standin", "skin.webp", ""], *([mesh, "skin.webp", ""] for mesh in _MESHES)]
        if name in wigs:
            card = np.array([[-0.1, 0.07, 0.12], [0.1, 0.07, 0.12], [0.1, 0.2, 0.12], [-0.1, 0.2, 0.12]])
            meshes.append(
                (card + MIDDLE, np.array([[0, 1], [1, 1], [1, 0], [0, 0.0]]), np.array([[0, 1, 2], [0, 2, 3]]))
            )
            parts.append(["h_wig", "wig.webp", ""])
            cv2.imwrite(str(folder / "tex" / f"{name}__wig.webp"), np.full((32, 32, 3), 20, np.uint8))
        arrays = {
            f"{letter}{k}": value
            for k, mesh in enumerate(meshes)
            for letter, value in zip(
                ("v", "uv", "f"),
                (mesh[0].astype(np.float32), mesh[1].astype(np.float32), mesh[2].astype(np.int32)),
                strict=True,
            )
        }
        np.savez(folder / f"{name}.npz", parts=json.dumps(parts), height=1.7, **arrays)
        cv2.imwrite(str(folder / "tex" / f"{name}__skin.webp"), np.full((32, 32, 3), 150 + number, np.uint8))
    return model


def _skin_uv(count):
    """Texture coordinates of a grid, those of the iBUG points where the family has them."""
    side = int(np.ceil(np.sqrt(count)))
    uv = np.stack(np.divmod(np.arange(count), side), 1) / side * 0.9 + 0.0007
    uv[LANDMARKS[::-1]] = LANDMARK_UVS[::-1]
    return uv


def _tetrahedron(number):
    """A small body inside the head, in meters around the model's origin."""
    corners = np.array([[0, 0, 1], [1, 0, -1], [-1, 0, -1], [0, 1, 0.0]]) * 0.01
    return corners + [(-1) ** number * 0.03, 0.01 * (number // 2), 0.0]
