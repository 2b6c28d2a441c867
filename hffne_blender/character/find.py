# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine finds the landmarks of a mesh: on pictures of it, as on a photo."""

import tempfile
from functools import partial

import numpy as np

from ..scene import images
from ..system.scratch import Scratch
from . import mesh_views
from .source import TransferError

# The answer's mesh and textures are only for reading the landmarks off.
GRID, TEXTURE = 64, 64


def landmarks(surface, matrix, wanted, rounds=2):
    """Landmarks (K, 3), world space, of the face on a Surface: a generator, see `operators.background`.

    matrix  of its object; wanted: indices in iBUG order

    "no_face" of the engine tries the next view. Raises TransferError "no_face_on_mesh" when no view shows a face.
    """
    tree = yield surface.tree
    with Scratch(tempfile.gettempdir(), folder=True) as folder:
        for number, view in enumerate(mesh_views.views(surface.points, matrix)):
            try:
                for step in range(rounds):
                    drawn = yield partial(mesh_views.picture, surface, tree, view)
                    path = folder / f"view_{number}_{step}.png"
                    path.write_bytes(images.png_bytes(np.repeat(drawn.gray[..., None], 3, axis=2)))
                    request = {"type": "generate", "photo": str(path), "face": "largest", "color": False}
                    answer = yield {**request, "texture_size": TEXTURE, "grid": GRID}
                    view = view.closer(answer[0]["box"])
            except TransferError as error:
                if error.code not in ("no_face", "photo_too_small", "no_shape"):
                    raise
                continue
            return mesh_views.landmarks_on(answer, drawn, list(wanted))
    raise TransferError(
        "no_face_on_mesh",
        "No face was found on the mesh.",
        "Let it look along -Y with its head up, or place the landmarks by hand.",
    )
