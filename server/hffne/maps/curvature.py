# SPDX-License-Identifier: GPL-3.0-or-later
"""Mean curvature of the detailed surface, from its normals."""

import cv2
import numpy as np

from hffne.maps.uv_surface import UVSurface


def curvature(surface: UVSurface, normal: np.ndarray) -> np.ndarray:
    """(S, S) float32, 1/m: half the surface divergence of the normals; ridges positive, creases negative.

    normal (S, S, 3) unit, object space, on the surface's grid. A sphere of radius r has 1/r.
    """
    smooth = cv2.GaussianBlur(normal, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    by_column, by_row = surface.gradients(smooth)
    a, b = surface.right, surface.down
    aa, ab, bb = (np.einsum("...i,...i->...", x, y) for x, y in ((a, a), (a, b), (b, b)))
    determinant = np.maximum(aa * bb - ab * ab, 1e-3 * aa * bb + 1e-18)
    # The inverse of the metric, against the change of the normal along each axis.
    first = np.einsum("...i,...i->...", by_column, bb[..., None] * a - ab[..., None] * b)
    second = np.einsum("...i,...i->...", by_row, aa[..., None] * b - ab[..., None] * a)
    return (0.5 * (first + second) / determinant * (surface.mask > 0.5)).astype(np.float32)
