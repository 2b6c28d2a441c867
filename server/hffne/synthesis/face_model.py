# SPDX-License-Identifier: GPL-3.0-or-later
"""The ICT-FaceKit morphable model (MIT): identities, expressions, topology."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hffne.errors import ShapeModelError

# Vertex ranges of ICT-FaceKit's topology (its README): what is skin, what is eye.
FACE = slice(0, 9409)
HEAD_AND_NECK = slice(9409, 11248)
SOCKETS = slice(11248, 14062)
GUMS_AND_TEETH = slice(14062, 21451)
EYES = slice(21451, 24591)
RENDERED_VERTICES = 24591  # what follows (tear film, occlusion cards, lashes) is for shading only

# The first five are what rendering needs.
_ARRAYS = ("neutral", "faces", "identity_deltas", "expression_deltas", "expression_names", "uv", "faces_uv")
# The 68 iBUG points as vertex indices, from ICT-FaceKit's vertex_indices.json.
# fmt: off
LANDMARKS = np.array(
    [
        1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443, 268, 493,
        1914, 2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507,
        1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213,
        6346, 6461, 5518, 5957, 5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966,
    ]
)
# fmt: on
# The index of each point in the mirror image.
# fmt: off
MIRRORED = np.array(
    [
        *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38,
        37, 36, 41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,
    ]
)
# fmt: on


@dataclass
class FaceModel:
    """``vertices = neutral + identity @ identity_deltas + expression @ expression_deltas``, in centimeters.

    Axes: x to the viewer's right when the face looks at the viewer, y up, z out of the face.
    """

    neutral: np.ndarray  # (V, 3)
    identity_deltas: np.ndarray  # (100, V, 3), coefficients are standard normal
    expression_deltas: np.ndarray  # (57, V, 3), coefficients in 0..1
    expression_names: list[str]
    triangles: np.ndarray  # (T, 3)

    def vertices(self, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """Vertices (V, 3) of the given identity (100,) and expression (57,) coefficients."""
        moved = np.tensordot(identity.astype(np.float32), self.identity_deltas, 1)
        moved += np.tensordot(expression.astype(np.float32), self.expression_deltas, 1)
        moved += self.neutral
        return moved


def load_face_model(path: str | Path) -> FaceModel:
    """Read what is rendered of the model of `read_arrays`. Raises ShapeModelError."""
    data = read_arrays(path)
    faces = data["faces"]
    quads = faces[(faces < RENDERED_VERTICES).all(1)]
    second = quads[:, [0, 2, 3]]
    triangles = np.concatenate([quads[:, :3], second[(second >= 0).all(1)]])
    keep = slice(0, RENDERED_VERTICES)
    return FaceModel(
        data["neutral"][keep],
        np.ascontiguousarray(data["identity_deltas"][:, keep]),
        np.ascontiguousarray(data["expression_deltas"][:, keep]),
        [str(n) for n in data["expression_names"]],
        triangles.astype(np.int32),
    )


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of ``ict_facekit.npz``, given as the file or its folder.

    Keys: neutral, faces, identity_deltas, expression_deltas, expression_names, uv, faces_uv, converted from the
    OBJ files of https://github.com/ICT-VGL/ICT-FaceKit. Raises ShapeModelError when
    the file is missing or is not that model.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "ict_facekit.npz"
    if not path.is_file():
        raise ShapeModelError(
            f"The shape model '{path}' is missing.",
            hint="Convert the OBJ files of ICT-FaceKit (MIT) to this file first.",
        )
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in _ARRAYS if name in data or name in _ARRAYS[:5]}
    except (KeyError, ValueError, IndexError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ShapeModelError(f"'{path}' is not the shape model: {' '.join(str(error).split())}") from error
