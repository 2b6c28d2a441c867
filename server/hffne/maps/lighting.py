# SPDX-License-Identifier: GPL-3.0-or-later
"""The photo's light, as nine numbers per channel, and the colors without it.

The shading of a diffuse surface under distant light depends on the light's first nine spherical harmonics only
(Ramamoorthi & Hanrahan 2001; Basri & Jacobs 2003), so it is a quadratic function of the normal.
It is fitted to the visible skin, assuming an even skin color; outliers (moles, stubble, highlights, cast shadows)
are weighted down. Cast shadows and highlights stay in the colors: this model has neither.
"""

from dataclasses import dataclass

import numpy as np

from hffne.geometry.completion import bands, upsample_rows
from hffne.geometry.harmonics import second_order
from hffne.geometry.textures import Textures
from hffne.geometry.vectors import normalize
from hffne.maps.uv_surface import resize_texture

FIT_SIZE = 256
# Regularization, for directions that few texels face.
RIDGE = 0.02
ROUNDS = 12
# Limits of the shading, relative to its mean over the face.
DARKEST, BRIGHTEST = 0.4, 2.5
# How much the light's color may change over the face: beyond this, the fit follows a beard or reflections.
TINT = 1.2
# Regions that are not skin of an even color.
OTHER = ("eyes", "brows", "lips")


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


def estimate_light(textures: Textures, mask: np.ndarray, regions: dict[str, np.ndarray]) -> Light:
    """The Light of a face's textures. mask (U, U) 0..1: 1 on the face; regions: name -> (U, U) bool."""
    size = FIT_SIZE
    normal = normalize(resize_texture(textures.normal, size))
    color = to_linear(resize_texture(textures.color, size))
    weight = resize_texture(textures.confidence, size) * (resize_texture(mask, size) > 0.5)
    for name in OTHER:
        if name in regions:
            weight = weight * (1 - np.clip(resize_texture(regions[name].astype(np.float32), size), 0, 1))
    visible = weight.ravel() > 0.2
    return fit_light(normal.reshape(-1, 3)[visible], color.reshape(-1, 3)[visible], weight.ravel()[visible])


def remove_shading(textures: Textures, light: Light, lit: np.ndarray | None = None) -> np.ndarray:
    """The textures' colors divided by the light's shading: (T, T, 3) uint8 sRGB.

    lit (s, s) 0..1: how far the colors of a texel have the light in them, by default everywhere.
    """
    result = np.empty_like(textures.color)
    for rows in bands(len(result)):
        shading = light.shading(textures.normal[rows])
        if lit is not None:
            shading **= upsample_rows(lit[..., None], len(result), rows).reshape(*shading.shape[:2], 1)
        result[rows] = to_srgb(to_linear(textures.color[rows]) / shading)
    return result


def to_linear(color: np.ndarray) -> np.ndarray:
    """Convert sRGB (..., 3), uint8 or float 0..1, to linear float32 0..1."""
    if color.dtype == np.uint8:
        return _LINEAR[color]
    return _decode(color.astype(np.float32))


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear float (..., 3) to uint8 sRGB."""
    linear = np.clip(linear, 0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (coded * 255 + 0.5).astype(np.uint8)


def _decode(coded: np.ndarray) -> np.ndarray:
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _decode(np.arange(256, dtype=np.float32) / 255)


def _solve(terms: np.ndarray, values: np.ndarray, trust: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Weighted ridge regression: terms (N, 9), values and trust (N,), penalty (9, 9) -> (9,)."""
    weighted = terms * trust[:, None]
    return np.linalg.solve(weighted.T @ terms + penalty, weighted.T @ values)


def _soft_plus(value: np.ndarray, width: float) -> np.ndarray:
    """max(value, 0) with a smooth corner of this width."""
    scaled = value / width
    # As np.logaddexp, which is several times as slow.
    return width * (np.maximum(scaled, 0) + np.log(1 + np.exp(-np.abs(scaled))))
