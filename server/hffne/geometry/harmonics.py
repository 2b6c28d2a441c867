# SPDX-License-Identifier: GPL-3.0-or-later
"""The spherical harmonics that a diffuse surface answers to (Ramamoorthi & Hanrahan 2001; Basri & Jacobs 2003)."""


def second_order(x, y, z):
    """The nine real ones up to the second order, up to constants, of unit vectors' components (arrays or tensors)."""
    return [x * 0 + 1, x, y, z, x * y, y * z, z * x, x * x - y * y, 3 * z * z - 1]
