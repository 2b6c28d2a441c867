# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations for the tests; numpy only, for Blender's Python has this as well."""

import numpy as np


def tilted(degrees, axis=0):
    """The rotation (3, 3) by an angle about the axis x (0), y (1) or z (2)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix
