# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit vectors: normalizing, rotating, and the rotation that fits one field of normals to another."""

import numpy as np


def normalize(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., C) divided by their length; zero stays zero."""
    return vectors / np.maximum(length_of(vectors), 1e-9)[..., None]


def length_of(vectors: np.ndarray) -> np.ndarray:
    """The lengths (...) of vectors (..., C); several times as fast as numpy's norm of a last axis."""
    length: np.ndarray = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return length


def rotate_between(vectors: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) rotated by the smallest rotation that takes unit `start` to unit `end`."""
    middle = start + end
    dot = 1 + np.einsum("...i,...i->...", start, end)
    along = np.einsum("...i,...i->...", middle, vectors) / np.maximum(dot, 1e-4)
    return vectors - middle * along[..., None] + 2 * end * np.einsum("...i,...i->...", start, vectors)[..., None]


def best_rotation(ours: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) that brings normals (N, 3) closest to the ground truth (N, 3) in the least squares sense.

    Wahba's problem, by SVD. Use: ours @ rotation.T. Never a reflection.
    """
    u, _, vt = np.linalg.svd(np.asarray(truth, np.float64).T @ np.asarray(ours, np.float64))
    sign = np.sign(np.linalg.det(u @ vt)) or 1.0
    return u @ np.diag([1.0, 1.0, sign]) @ vt


def similarity(
    source: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None
) -> tuple[float, np.ndarray, np.ndarray]:
    """(scale, rotation, origin) of the similarity target = scale * rotation @ source + origin of points (N, 3).

    Least squares by SVD (Umeyama 1991), weighted by `weight` (N,). Never a reflection.
    """
    weight = np.ones(len(source)) if weight is None else weight
    share = (weight / weight.sum())[:, None]
    middle, aim = share[:, 0] @ source, share[:, 0] @ target
    a, b = source - middle, target - aim
    u, values, vt = np.linalg.svd((share * b).T @ a)
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt)) or 1.0])
    rotation = u @ sign @ vt
    scale = (values * np.diag(sign)).sum() / max(float(np.einsum("n,ni,ni->", share[:, 0], a, a)), 1e-12)
    return float(scale), rotation, aim - scale * rotation @ middle
