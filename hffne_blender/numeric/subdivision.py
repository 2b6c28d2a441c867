# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles split into small even pieces, and keys that find the corners which pieces share."""

import numpy as np

# A triangle's edge is split into at most this many parts.
MOST_SPLITS = 24
# Odd 64-bit constants that mix the coordinates of a key.
_FACTORS = np.array(
    [
        0x9E3779B97F4A7C15,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x27D4EB2F165667C5,
        0x85EBCA77C2B2AE63,
        0xD6E8FEB86659FD93,
    ],
    np.uint64,
)


def split_triangles(corners: np.ndarray, length: float) -> tuple[np.ndarray, np.ndarray]:
    """Split triangles (N, 3, 3) into P pieces with edges up to about `length`.

    Returns (owner (P,), share (P, 3, 3)): the triangle of each piece, and the barycentric weights (last axis) of the
    piece's three corners.
    """
    if not len(corners):
        return np.zeros(0, np.int64), np.zeros((0, 3, 3))
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    splits = np.clip(np.ceil(longest / length), 1, MOST_SPLITS).astype(int)
    owners, shares = [], []
    for count in np.unique(splits):
        members = np.flatnonzero(splits == count)
        pattern = _pattern(int(count))
        owners.append(np.repeat(members, len(pattern)))
        shares.append(np.tile(pattern, (len(members), 1, 1)))
    return np.concatenate(owners), np.concatenate(shares)


def quarter(share: np.ndarray) -> np.ndarray:
    """The (4 K, 3, 3) barycentric corners of the quarters of triangles with the barycentric corners (K, 3, 3)."""
    return np.einsum("pcd,kde->kpce", _pattern(2), share).reshape(-1, 3, 3)


def _pattern(count: int) -> np.ndarray:
    """The (count ** 2, 3, 3) barycentric corners of a triangle's even pieces, with the triangle's winding."""
    pieces = []
    for i in range(count):
        for j in range(count - i):
            pieces.append([(i, j), (i + 1, j), (i, j + 1)])
            if i + j < count - 1:
                pieces.append([(i + 1, j), (i + 1, j + 1), (i, j + 1)])
    second_third = np.array(pieces, float) / count
    return np.concatenate([1 - second_third.sum(2, keepdims=True), second_third], axis=2)


def grid_keys(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """A hash (K,) uint64 of each point and normal (K, 3), equal for those that round to the same integers.

    Far faster than comparing rows.
    """
    rounded = np.rint(np.concatenate([points, normals], axis=1)).astype(np.int64).astype(np.uint64)
    return (rounded * _FACTORS).sum(1, dtype=np.uint64)
