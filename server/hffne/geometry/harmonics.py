# SPDX-License-Identifier: GPL-3.0-or-later
"""The spherical harmonics that determine the shading of a diffuse surface.

Ramamoorthi & Hanrahan 2001; Basri & Jacobs 2003.
"""

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import torch

T = TypeVar("T", "np.ndarray", "torch.Tensor")


def second_order(x: T, y: T, z: T) -> list[T]:
    """The nine real harmonics up to the second order, without their constant factors.

    x, y, z: components of unit vectors, all of one shape, which each of the nine has too.
    """
    return [x * 0 + 1, x, y, z, x * y, y * z, z * x, x * x - y * y, 3 * z * z - 1]
