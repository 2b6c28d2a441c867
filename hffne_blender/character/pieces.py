# SPDX-License-Identifier: GPL-3.0-or-later
"""Splits the triangles of a mesh into small pieces where a face is near; how many there are is bounded."""

import numpy as np

from ..numeric.subdivision import quarter, split_triangles
from ..scene.triangle_tree import TriangleTree
from .errors import TransferError

# As many pieces as this take a minute and 2 GB. A face has about twenty thousand.
MOST = 1_500_000
# Triangles with edges of more pieces than this are quartered first, and what lies far from the face is left out.
COARSE = 8


def near_pieces(corners: np.ndarray, tree: TriangleTree, reach: float, length: float) -> tuple[np.ndarray, np.ndarray]:
    """The pieces, with edges up to about `length`, of triangles (N, 3, 3) that lie within `reach` of a face.

    tree  the face's triangles

    Returns (owner (P,), share (P, 3, 3)), see `subdivision.split_triangles`. Raises TransferError for more than MOST.
    """
    owner, share = np.arange(len(corners)), np.tile(np.eye(3), (len(corners), 1, 1))
    small: list[tuple[np.ndarray, np.ndarray]] = []
    total = 0
    while True:
        points = np.einsum("kpc,kcx->kpx", share, corners[owner])
        longest = np.linalg.norm(points - np.roll(points, 1, axis=1), axis=2).max(1)
        large = longest > COARSE * length
        small.append((owner[~large], share[~large]))
        total += int(np.square(np.ceil(longest[~large] / length)).sum())
        owner, share, points = owner[large], share[large], points[large]
        if total <= MOST and len(owner):
            center = points.mean(1)
            radius = np.linalg.norm(points - center[:, None], axis=2).max(1)
            near = tree.nearest(center, radius + reach).found
            owner, share = owner[near], share[near]
        if total + len(owner) > MOST:
            raise TransferError(
                "too_dense",
                "The mesh has too many faces, or too many layers, where the face lies.",
                "Lower the steps and levels of its modifiers in the viewport, or delete the layers behind the skin.",
            )
        if not len(owner):
            break
        owner, share = np.repeat(owner, 4), quarter(share)
    owner, share = (np.concatenate(arrays) for arrays in zip(*small, strict=True))
    piece, inner = split_triangles(np.einsum("kpc,kcx->kpx", share, corners[owner]), length)
    return owner[piece], np.einsum("kpc,kcd->kpd", inner, share[piece])
