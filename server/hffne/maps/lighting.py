# SPDX-License-Identifier: GPL-3.0-or-later
"""The photo's light, as nine numbers a channel, and the colors without it.

A diffuse surface under distant light answers to the light's first nine spherical harmonics only
(Ramamoorthi & Hanrahan 2001; Basri & Jacobs 2003), so the shading is a quadratic function of the normal.
Fitted to the skin that the photo saw, taking its color as even; what stands out (moles, stubble, highlights,
cast shadows) is weighted down. Cast shadows and highlights stay in the colors: this light knows neither.
"""

from dataclasses import dataclass

import numpy as np

from hffne.geometry.harmonics import second_order
from hffne.geometry.vectors import normalize
from hffne.maps.surface import at_size

FIT_SIZE = 256
# Directions of which the fit sees little must not run away.
RIDGE = 0.02
ROUNDS = 12
# How dark and how bright the shading may be taken to be, of its mean over the face.
DARKEST, BRIGHTEST = 0.4, 2.5
# How much the light's color may change over the face: beyond, the fit follows a beard or what the skin reflects.
TINT = 1.2
# Not skin, or painted.
OTHER = ("eyes", "brows", "lips")


@dataclass(frozen=True)
class Light:
    """coefficients (9, 3): of the basis, a channel; the shading's mean over the face is 1 in each channel."""

    coefficients: np.ndarray

    def shading(self, normal):
        """(..., 3) float32, linear: the light on unit normals (..., 3), object space, about 1 on average."""
        light = basis(normal) @ self.coefficients.astype(np.float32)
        # Soft at the dark end: a hard one shows as an edge.
        light = DARKEST + _soft_plus(light - DARKEST, 0.1)
        gray = light.mean(-1, keepdims=True)
        return np.minimum(np.clip(light, gray / TINT, gray * TINT), BRIGHTEST)


def basis(normal):
    """The nine real spherical harmonics up to the second order, up to constants, of (..., 3) -> (..., 9) float32."""
    return np.stack(second_order(*np.moveaxis(np.asarray(normal, np.float32), -1, 0)), -1)


def fit_light(normal, color, weight):
    """The Light of a face. normal (N, 3) unit, color (N, 3) linear, weight (N,): how much a texel says.

    With next to nothing to go by, the even light.
    """
    even = np.zeros((9, 3))
    even[0] = 1
    if weight.sum() < 50:
        return Light(even)
    terms = basis(normal).astype(np.float64)
    penalty = RIDGE * weight.sum() * np.diag([0, 1, 1, 1, 2, 2, 2, 2, 2.0])
    result = np.empty((9, 3))
    trust = weight.astype(np.float64)
    # Which texels stand out is told by brightness, for all channels alike.
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


def light_of(textures, mask, regions):
    """The Light of geometry.unwrap.Textures. mask (S, S) 0..1 the face; regions name -> (U, U) bool."""
    size = FIT_SIZE
    normal = normalize(at_size(textures.normal, size))
    color = to_linear(at_size(textures.color, size))
    weight = at_size(textures.confidence, size) * (at_size(mask, size) > 0.5)
    for name in OTHER:
        if name in regions:
            weight = weight * (1 - np.clip(at_size(regions[name].astype(np.float32), size), 0, 1))
    seen = weight.ravel() > 0.2
    return fit_light(normal.reshape(-1, 3)[seen], color.reshape(-1, 3)[seen], weight.ravel()[seen])


def delit(textures, light, band=256):
    """Colors with the Light divided out: (T, T, 3) uint8 sRGB."""
    result = np.empty_like(textures.color)
    for start in range(0, len(result), band):
        rows = slice(start, start + band)
        result[rows] = to_srgb(to_linear(textures.color[rows]) / light.shading(textures.normal[rows]))
    return result


def to_linear(color):
    """uint8 sRGB (..., 3) to linear float32 0..1."""
    if color.dtype == np.uint8:
        return _LINEAR[color]
    return _decode(color.astype(np.float32))


def to_srgb(linear):
    """Linear float (..., 3) to uint8 sRGB."""
    linear = np.clip(linear, 0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (coded * 255 + 0.5).astype(np.uint8)


def _decode(coded):
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _decode(np.arange(256, dtype=np.float32) / 255)


def _solve(terms, values, trust, penalty):
    weighted = terms * trust[:, None]
    return np.linalg.solve(weighted.T @ terms + penalty, weighted.T @ values)


def _soft_plus(value, width):
    return width * np.logaddexp(0, value / width)
