# SPDX-License-Identifier: GPL-3.0-or-later
"""Relief as a height over the base mesh, in meters: the normals' slopes integrated over the surface.

A screened, weighted Poisson problem: of all heights h take the one that minimizes

    sum over the surface of  w |grad h - g|^2 + h^2 / REACH^2

with g the slopes of the normals and w the confidence of the texel. The gradient is that of
the curved surface in meters, not of the UV square. Without the second term this is the least-squares
integration of Horn & Brooks and, for w = 1 on a plane, of Frankot & Chellappa; the second term keeps only
relief: slopes of waves much longer than 2 pi REACH belong to the shape, and normals of a single photo would
bend them into a bulge. Solved by `multigrid`.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from hffne.geometry.vectors import length_of
from hffne.maps.multigrid import solve
from hffne.maps.uv_surface import UVSurface

# Waves of 2 pi REACH = 25 mm keep half of their height, those of 8 mm nine tenths.
REACH = 0.004
# Weight of the slopes where the confidence is 0, and beside the face.
LEAST_WEIGHT = 0.1


@dataclass(frozen=True)
class Relief:
    """What counts as relief on a surface.

    reach  meters, see the module
    steep  slopes (tangent of the angle) beyond this are not relief: shape and normals disagree, as at nostrils and eyes
    rim    meters from the face's rim over which the relief fades in: beyond the rim it is undefined
    """

    reach: float = REACH
    steep: float = 0.7
    rim: float = 0.005


def height(surface: UVSurface, normal: np.ndarray, confidence: np.ndarray, relief: Relief | None = None) -> np.ndarray:
    """Height (S, S) float32 in meters along the surface's normals, about 0 on average.

    normal (S, S, 3) unit, object space; confidence (S, S) 0..1; S even.
    """
    relief = relief or Relief()
    toward = -surface.slope(normal) * surface.mask[..., None]
    steep = length_of(toward)
    toward *= np.minimum(1, relief.steep / np.maximum(steep, 1e-6))[..., None]
    trust = confidence * surface.mask / (1 + (steep / relief.steep) ** 4)
    weight = LEAST_WEIGHT + (1 - LEAST_WEIGHT) * trust
    joined = surface.joined_columns, surface.joined_rows
    result = integrate(toward, surface.right, surface.down, weight, relief.reach, joined)
    inward = cv2.distanceTransform(surface.inner().astype(np.uint8), cv2.DIST_L2, 5)
    return result * np.clip(inward * surface.texel / relief.rim, 0, 1)


def integrate(
    gradient: np.ndarray,
    right: np.ndarray,
    down: np.ndarray,
    weight: np.ndarray,
    reach: float = REACH,
    joined: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> np.ndarray:
    """The height (S, S) float32 whose surface gradient is closest to `gradient` (S, S, 3).

    right, down (S, S, 3): meters from texel to texel; weight (S, S) > 0; reach in meters, see the module;
    joined: see UVSurface.joined_columns and joined_rows.
    """
    across, along = length_of(right), length_of(down)
    # Where the layout is compressed, a texel would outweigh all others.
    across, along = (np.maximum(length, 0.25 * np.median(length) + 1e-9) for length in (across, along))
    area = across * along
    # On the edges between neighbors: the wanted step, and its weight in the surface's metric.
    step_x = _between(np.einsum("...i,...i->...", gradient, right), 1)
    step_y = _between(np.einsum("...i,...i->...", gradient, down), 0)
    weight_x = _between(weight * along / across, 1)
    weight_y = _between(weight * across / along, 0)
    if joined[0] is not None and joined[1] is not None:
        weight_x, weight_y = weight_x * joined[0], weight_y * joined[1]
    screen = area / np.float32(reach) ** 2

    right_side = _divergence(weight_x * step_x, weight_y * step_y)
    return solve(weight_x, weight_y, screen.astype(np.float32), right_side)


def _between(values: np.ndarray, axis: int) -> np.ndarray:
    """Means of neighbors along an axis: values on the edges between texels."""
    low, high = (values[:, :-1], values[:, 1:]) if axis else (values[:-1], values[1:])
    return ((low + high) / 2).astype(np.float32)


def _divergence(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Minus the divergence of edge values x (S, S-1), y (S-1, S): the transpose of the differences."""
    result = np.zeros((len(x), len(x)), np.float32)
    result[:, 1:] += x
    result[:, :-1] -= x
    result[1:] += y
    result[:-1] -= y
    return result
