# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of a head's parts beside the skin as PNG files. Needs no Blender data: run it on a thread of its own."""

import numpy as np

from . import eye_texture, soft_edges
from .face_textures import Texture
from .head_parts import PartSurface, kind_of, part_quads
from .png import png_bytes
from .received_face import ReceivedFace
from .received_head import Eye, Eyes

# sRGB, where the engine does not know the color of the iris.
PLAIN_IRIS = (0.30, 0.21, 0.15)
# The iris's radius in radii of the eyeball, where the engine does not know it.
IRIS_SHARE = 0.46


def encode_parts(received: ReceivedFace) -> dict[str, Texture]:
    """The pictures of a head's parts, by the parts' names; parts of one plain color have none. {} for a mask.

    Parts may share a picture, which is then the same Texture.
    """
    own = received.head
    if own is None:
        return {}
    balls = {
        side: number for number, name in enumerate(own.parts) for side in ("Left", "Right") if name == f"Eye {side}"
    }
    eyes = {side: _eye(own.eyes, side, PartSurface.of(received, number)) for side, number in balls.items()}
    color = PLAIN_IRIS if own.eyes is None else own.eyes.iris_color
    pictures: dict[str, Texture] = {}
    drawn: dict[str, tuple[np.ndarray, Texture]] = {}
    for number, name in enumerate(own.parts):
        kind, side = kind_of(name, own.parts), name.rpartition(" ")[2]
        if not (own.quad_parts == number).any():
            continue
        layout = _layout(received, number)
        if kind in drawn and _alike(layout, drawn[kind][0]):
            # Both eyes are alike over their UVs, wherever they look.
            pictures[name] = drawn[kind][1]
            continue
        surface = PartSurface.of(received, number)
        if kind in ("eye", "cornea", "iris") and side in eyes:
            pixels = eye_texture.draw(surface, eyes[side], color, kind)
        elif kind == "lashes" and eyes:
            pixels = soft_edges.lashes(surface, np.array([eye.center for eye in eyes.values()]))
        elif kind == "occlusion":
            pixels = soft_edges.lid_shadow(surface)
        elif kind == "blend":
            pixels = soft_edges.corner_tint(surface)
        else:
            continue
        pictures[name] = Texture(kind, png_bytes(pixels), "sRGB")
        drawn[kind] = layout, pictures[name]
    return pictures


def _layout(received: ReceivedFace, part: int) -> np.ndarray:
    """The UVs of a part's corners (C, 2), sorted along each axis, so that their order does not count."""
    own = part_quads(received, part)
    return np.sort(received.uvs[own][received.quads[own] >= 0], axis=0)


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two layouts of `_layout` are the same but for two texels."""
    return one.shape == other.shape and bool(np.abs(one - other).max() < 2 / eye_texture.SIZE)


def _eye(known: Eyes | None, side: str, surface: PartSurface) -> Eye:
    """What the engine knows of an eye; without it what its ball's vertices tell, looking ahead."""
    if known is not None:
        return known.left if side == "Left" else known.right
    points = surface.points[np.unique(surface.triangles)]
    center = (points.min(0) + points.max(0)) / 2
    radius = float(np.linalg.norm(points - center, axis=1).mean())
    x, y, z = center.tolist()
    return Eye((x, y, z), radius, IRIS_SHARE * radius, (0.0, -1.0, 0.0))
