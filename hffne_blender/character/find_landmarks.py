# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine finds the landmarks of a mesh on pictures of it, as on a photo."""

import tempfile
from collections.abc import Sequence
from functools import partial

import bpy
import numpy as np

from ..numeric.detail_source import DetailSource
from ..numeric.png import png_bytes
from ..numeric.world_surface import WorldSurface
from ..scene.triangle_tree import TriangleTree
from ..system import room
from ..system.scratch import Scratch
from . import mesh_views
from .errors import TransferError
from .steps import StepGenerator

# The answer's mesh and textures serve only to read the landmarks: they can be small.
GRID, TEXTURE = 64, 64
# Pictures per view: the second is taken closer, around the face found on the first.
ROUNDS = 2
# With these errors of the engine the next view is tried.
_NO_FACE = ("no_face", "photo_too_small", "no_shape")


def find_landmarks(
    surface: WorldSurface, matrix: np.ndarray, wanted: Sequence[int], painted: DetailSource | None = None
) -> StepGenerator[np.ndarray]:
    """Landmarks (K, 3), world space, of the face on a surface: a generator, see `operators.bases.background`.

    matrix  the object's 4 x 4 world matrix
    wanted  K indices in iBUG order
    painted the face that the surface is, whose texture shows where its lips meet

    Raises TransferError "no_face_on_mesh" when no view shows a face, "file_error" when the pictures cannot be written.
    """
    tree = yield partial(TriangleTree, surface.points, surface.triangles)
    place = bpy.app.tempdir or tempfile.gettempdir()
    with room.needed(place, TransferError):
        scratch = Scratch(place, folder=True)
    with scratch as folder:
        for number, view in enumerate(mesh_views.candidate_views(surface.points, matrix)):
            try:
                for step in range(ROUNDS):
                    picture = yield partial(mesh_views.draw, surface, tree, view)
                    path = folder / f"view_{number}_{step}.png"
                    data = png_bytes(np.repeat(picture.gray[..., None], 3, axis=2))
                    with room.needed(place, TransferError):
                        path.write_bytes(data)
                    request = {"type": "generate", "photo": str(path), "face": "largest", "color": False}
                    answer = yield {**request, "base": "mask", "texture_size": TEXTURE, "grid": GRID}
                    view = view.closer(answer[0]["box"])
            except TransferError as error:
                if error.code not in _NO_FACE:
                    raise
                continue
            dark = None
            if painted is not None and painted.brightness is not None:
                skin = painted.surface
                skin_tree = yield partial(TriangleTree, skin.points, skin.triangles)
                dark = yield partial(mesh_views.draw_texture, skin, skin_tree, picture.view, painted.brightness)
            return mesh_views.landmarks_on(answer, picture, list(wanted), dark)
    raise TransferError(
        "no_face_on_mesh",
        "No face was found on the mesh.",
        "Let it look along -Y with its head up, or place the landmarks by hand.",
    )
