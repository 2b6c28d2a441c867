# SPDX-License-Identifier: GPL-3.0-or-later
"""The frequency bands of a normal map, weighted and added as slopes (partial derivative blending)."""

import numpy as np

from .resample import linear_resize

# The z below which a slope is limited.
LEAST_Z = 0.05


def mix(
    whole: np.ndarray,
    medium: np.ndarray | None,
    coarse: np.ndarray | None,
    pores: np.ndarray | None,
    weights: tuple[float, float, float, float],
) -> np.ndarray:
    """A tangent-space normal map with its fine, medium and coarse bands weighted: (T, T, 3) float32 unit vectors.

    whole    (T, T, 3) all detail of the photo
    medium   (S, S, 3) without the fine detail, or None where there is no such map
    coarse   (R, R, 3) without the fine and medium detail, or None
    pores    (T, T, 3) all detail and synthetic pores, or None
    weights  of the fine, medium and coarse band, and of the pores

    In slopes (x / z, y / z) bands add up. Without a band's map the band counts as part of the next coarser one.
    """
    size = len(whole)
    first = _slopes(whole)
    second, third = (first if normal is None else _slopes(linear_resize(normal, size)) for normal in (medium, coarse))
    fine_weight, medium_weight, coarse_weight, pores_weight = weights
    total = fine_weight * (first - second) + medium_weight * (second - third) + coarse_weight * third
    if pores is not None:
        total += pores_weight * (_slopes(pores) - first)
    normal = np.dstack([total, np.ones(total.shape[:2], np.float32)])
    return (normal / np.linalg.norm(normal, axis=2, keepdims=True)).astype(np.float32)


def _slopes(normal: np.ndarray) -> np.ndarray:
    return normal[..., :2] / np.maximum(normal[..., 2:], LEAST_Z)
