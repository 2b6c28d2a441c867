# SPDX-License-Identifier: GPL-3.0-or-later
"""Small operations on arrays of 3D vectors."""

import numpy as np


def unit(vectors: np.ndarray, smallest: float = 1e-12) -> np.ndarray:
    """Vectors (..., D) scaled to length 1 along the last axis; those shorter than `smallest` stay short."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), smallest)


def mirrors(matrix: np.ndarray) -> bool:
    """Whether a matrix (3 x 3, or 4 x 4 of which only the upper left 3 x 3 counts) turns right hands into left ones."""
    return bool(np.linalg.det(matrix[:3, :3]) < 0)


def mean_scale(matrix: np.ndarray) -> float:
    """The geometric mean of the three scales of a matrix (3 x 3, or the upper left part of 4 x 4)."""
    return float(np.cbrt(abs(np.linalg.det(matrix[:3, :3]))))
