# SPDX-License-Identifier: GPL-3.0-or-later
"""The UVs of the head's skin: the model's own charts, which lie on several tiles, arranged on one square.

The arrangement is mirror-symmetric about u = 0.5, so that a texture's flipped picture is that of the mirrored face.
Its seams are the model's own: behind the ears and over the crown, and one more down the middle of the back of the head.
"""

import numpy as np

# The face's chart is this share of the square, at the top in the middle.
FACE_SIDE = 0.72
# Each half of the back of the head lies on its side in a strip at the bottom.
BACK_SCALE = 0.495
SOCKET_SCALE = 0.72
# The tile's point on which each chart is placed.
_SOCKET_CENTER = 0.07, 0.64


def tile_uvs(corners: np.ndarray) -> np.ndarray:
    """The UVs (Q, 4, 2) of corners on any tile, moved to the first one."""
    tile = np.floor(corners[:, :3].mean(1))
    return np.clip(corners - tile[:, None], 0, 1).astype(np.float32)


def mouth_uvs(corners: np.ndarray) -> np.ndarray:
    """The mouth bag's chart over the whole square; corners (Q, 4, 2)."""
    low, high = corners.min((0, 1)), corners.max((0, 1))
    return ((corners - low) / (high - low).max() * 0.96 + 0.02).astype(np.float32)


def skin_uvs(
    vertices: np.ndarray, quads: np.ndarray, corners: np.ndarray, socket: np.ndarray, mirror: np.ndarray
) -> np.ndarray:
    """The UVs (Q, 4, 2) of the skin's corners.

    vertices (V, 3) of the neutral head; quads (Q, 4); corners (Q, 4, 2) their UVs in the model; socket (Q,) bool: those
    behind the lids; mirror (V,).
    """
    tile = np.floor(corners[..., 0].mean(1))
    right = vertices[quads][..., 0].mean(1) > 0
    back = (tile == 1) & ~socket
    placed = np.empty(corners.shape, np.float32)
    face = tile == 0
    placed[face] = corners[face] * FACE_SIDE + [(1 - FACE_SIDE) / 2, 1 - FACE_SIDE]
    # Turned by a quarter: the crown at the middle of the square, the neck at its side.
    local = corners[back] - [1.5, 0]
    # Each half is turned the other way, so that both are seen from outside: the head's left lies on the left.
    side = np.where(local[..., 0].mean(1) > 0, 1.0, -1.0)[:, None]
    across, up = np.abs(local[..., 0]), local[..., 1]
    placed[back] = np.stack([0.5 + side * (0.0025 + (1 - up) * BACK_SCALE), 0.005 + across * BACK_SCALE], 2)
    for wanted in (True, False):
        one = socket & (right == wanted)
        middle = (corners[one].min((0, 1)) + corners[one].max((0, 1))) / 2
        place = np.array([1 - _SOCKET_CENTER[0] if wanted else _SOCKET_CENTER[0], _SOCKET_CENTER[1]])
        placed[one] = (corners[one] - middle) * SOCKET_SCALE + place
    return _symmetric(quads, placed, back, mirror)


def _symmetric(quads: np.ndarray, placed: np.ndarray, back: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Average each corner's UV with its mirror image's in the mirrored chart. back (Q,) bool: at the bottom."""
    table = np.full((2, len(mirror), 2), np.nan, np.float32)
    chart = np.repeat(back[:, None], 4, 1).astype(int)
    # At the seam down the back of the head a vertex has two UVs; its mirror image is itself with the other one.
    split = back[:, None] & (np.abs(placed[..., 0] - 0.5) < 0.01)
    table[chart[~split], quads[~split]] = placed[~split]
    other = table[chart, mirror[quads]]
    near = ~split & (np.abs(other + placed * [1, -1] - [1, 0]).max(-1) < 0.03)
    averaged = (placed + [1, 0] + other * [-1, 1]) / 2
    return np.where(near[..., None], averaged, placed).astype(np.float32)
