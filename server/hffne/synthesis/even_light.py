# SPDX-License-Identifier: GPL-3.0-or-later
"""A photo's light, as nine numbers per channel.

The shading of a diffuse surface under distant light depends on the light's first nine spherical harmonics only
(Ramamoorthi & Hanrahan 2001; Basri & Jacobs 2003), so it is a quadratic function of the normal.
It is fitted to the visible skin, assuming an even skin color; outliers (moles, stubble, highlights, cast shadows)
are weighted down. Cast shadows and highlights stay in the colors: this model has neither.
"""

from dataclasses import dataclass

import numpy as np

from hffne.geometry.harmonics import second_order

# Regularization, for directions that few texels face.
RIDGE = 0.02
ROUNDS = 12
# Limits of the shading, relative to its mean over the face.
DARKEST, BRIGHTEST = 0.4, 2.5
# How much the light's color may change over the face: beyond this, the fit follows a beard or reflections.
TINT = 1.2


@dataclass(frozen=True)
class Light:
    """Distant light on a diffuse surface.

    coefficients (9, 3): of the basis, per channel; the shading's mean over the face is 1 in each channel.
    """

    coefficients: np.ndarray

    def shading(self, normal: np.ndarray) -> np.ndarray:
        """Shading (..., 3) float32, linear, of unit normals (..., 3), object space; about 1 on average."""
        light: np.ndarray = basis(normal) @ self.coefficients.astype(np.float32)
        # A smooth limit at the dark end: a hard one shows as an edge.
        light = DARKEST + _soft_plus(light - DARKEST, 0.1)
        gray = light.mean(-1, keepdims=True)
        return np.minimum(np.clip(light, gray / TINT, gray * TINT), BRIGHTEST)


def basis(normal: np.ndarray) -> np.ndarray:
    """The nine spherical harmonics of `second_order` (..., 9) float32 of unit normals (..., 3)."""
    return np.stack(second_order(*np.moveaxis(np.asarray(normal, np.float32), -1, 0)), -1)


def fit_light(normal: np.ndarray, color: np.ndarray, weight: np.ndarray) -> Light:
    """The Light of a face, from texels: normal (N, 3) unit, color (N, 3) linear, weight (N,).

    A constant shading of 1 when the weights add up to less than 50 texels.
    """
    even = np.zeros((9, 3))
    even[0] = 1
    if weight.sum() < 50:
        return Light(even)
    terms = basis(normal).astype(np.float64)
    penalty = RIDGE * weight.sum() * np.diag([0, 1, 1, 1, 2, 2, 2, 2, 2.0])
    result = np.empty((9, 3))
    trust = weight.astype(np.float64)
    # Outliers are found by brightness, for all channels together.
    gray = color.mean(1)
    for _ in range(ROUNDS):
        solution = _solve(terms, gray, trust, penalty)
        error = np.abs(gray - terms @ solution)
        typical = max(float(np.median(error[weight > 0.5])) if (weight > 0.5).any() else error.mean(), 1e-6)
        trust = weight / (1 + (error / (2 * typical)) ** 2)
    mean = terms.T @ trust / trust.sum()
    for channel in range(3):
        solution = _solve(terms, color[:, channel].astype(np.float64), trust, penalty)
        result[:, channel] = solution / max(float(mean @ solution), 1e-6)
    return Light(result)


def _solve(terms: np.ndarray, values: np.ndarray, trust: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Weighted ridge regression: terms (N, 9), values and trust (N,), penalty (9, 9) -> (9,)."""
    weighted = terms * trust[:, None]
    return np.linalg.solve(weighted.T @ terms + penalty, weighted.T @ values)


def _soft_plus(value: np.ndarray, width: float) -> np.ndarray:
    """max(value, 0) with a smooth corner of this width."""
    scaled = value / width
    # As np.logaddexp, which is several times as slow.
    return width * (np.maximum(scaled, 0) + np.log(1 + np.exp(-np.abs(scaled))))
