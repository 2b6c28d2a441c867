# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of a head are, by their names, and their surfaces over their own UVs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import raster
from .received_face import ReceivedFace
from .uv_charts import charts

# The beginning of a part's name -> its kind; the first that fits counts.
_KINDS = (
    ("Iris", "iris"),
    ("Eye Blend", "blend"),
    ("Eye Occlusion", "occlusion"),
    ("Eye", "eye"),
    ("Tear", "tear"),
    ("Teeth", "teeth"),
    ("Gums", "gums"),
    ("Tongue", "gums"),
    ("Mouth", "gums"),
    ("Lashes", "lashes"),
)


def kind_of(part: str, parts: Sequence[str]) -> str:
    """The kind of a part among all parts of its head.

    "eye" (an eyeball with a painted iris), "cornea" (one around an iris that is a part of its own), "iris", "blend",
    "occlusion", "tear", "teeth", "gums", "lashes", or "plain" for what is not known.
    """
    kind = next((kind for start, kind in _KINDS if part.startswith(start)), "plain")
    return "cornea" if kind == "eye" and part.replace("Eye", "Iris", 1) in parts else kind


def part_quads(received: ReceivedFace, part: int) -> np.ndarray:
    """(Q,) bool: the quads of the part with a number. Raises ValueError for a mask."""
    if received.head is None:
        raise ValueError("A mask has no parts.")
    return received.head.quad_parts == part


@dataclass(frozen=True)
class PartSurface:
    """The surface of a part, of the face as on the photo.

    triangles  (N, 3) int, vertices of the whole head
    uvs        (N, 3, 2) of their corners
    points     (V, 3) float64 meters, all vertices of the head
    """

    triangles: np.ndarray
    uvs: np.ndarray
    points: np.ndarray

    @classmethod
    def of(cls, received: ReceivedFace, part: int) -> "PartSurface":
        """The surface of the part with a number. Raises ValueError for a mask."""
        own = part_quads(received, part)
        quads, uvs = received.quads[own], received.uvs[own]
        halves = [(quads[:, :3], uvs[:, :3])]
        square = quads[:, 3] >= 0
        halves.append((quads[square][:, [0, 2, 3]], uvs[square][:, [0, 2, 3]]))
        triangles, corners = (np.concatenate(each) for each in zip(*halves, strict=True))
        return cls(triangles, corners, received.vertices.astype(float))

    def at_texels(self, values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        """(covered texels (K,), values (K, C) there) of values (V, C) of the vertices, on a square of `size`."""
        texels, owners, weights = raster.cover(self.uvs, size)
        return texels, np.einsum("kc,kcx->kx", weights, values[self.triangles[owners]])

    def components(self) -> np.ndarray:
        """The connected component (N,) of each triangle, numbered from 0."""
        return np.unique(charts(self.triangles), return_inverse=True)[1]
