# SPDX-License-Identifier: GPL-3.0-or-later
"""The relief of a face as heights: its slopes integrated over the face's own, seamless UV layout."""

from typing import Protocol

import numpy as np

from . import raster
from .detail_source import DetailSource

# Meters. Wider forms are the shape of a head; integrating them only accumulates errors.
WIDEST = 0.05
# Padding on each side, as a share of the size, so that the Fourier transform does not wrap around.
PAD = 0.25
# Meters over which the slopes fade to zero at the face's border.
FADE = 0.008


class Slopes(Protocol):
    """Slopes over a face's UV layout, such as `slope_field.SlopeField`."""

    def slopes_at(self, uv: np.ndarray, step: float) -> np.ndarray:
        """Slopes (K, 2) along tangent and bitangent at UV positions (K, 2), for texels of UV length `step`."""


def heights(source: DetailSource, slopes: Slopes, size: int, largest: float = 0.0) -> np.ndarray:
    """(size, size, 1) float32, meters of the face's own size along its normal, row 0 at v = 1.

    largest  meters: forms wider than this are left out, and those wider than `WIDEST` in any case; 0 for no other limit

    The least-squares surface of the given slopes (Frankot and Chellappa, 1988), by Fourier
    transform. The slopes fade to zero at the face's border, so that nothing wraps around.
    """
    surface = source.surface
    per_u, per_v = _lengths_per_uv(source)
    index, owner, share = raster.cover(source.uv[surface.triangles], size)
    corners = surface.triangles[owner]

    def interpolate(values: np.ndarray) -> np.ndarray:
        return np.einsum("kc,kc...->k...", share, values[corners])

    # Height falls where the normal leans to: -slope along the tangent and the bitangent.
    fade = np.clip(interpolate(source.border_distance) / FADE, 0, 1)
    gradient = -slopes.slopes_at(interpolate(source.uv), 1 / size) * fade[:, None]
    field = np.zeros((2, size * size))
    field[0, index] = np.einsum("kx,kx->k", gradient, interpolate(per_u)) / size
    field[1, index] = -np.einsum("kx,kx->k", gradient, interpolate(per_v)) / size

    pad = int(size * PAD)
    padded = np.pad(field.reshape(2, size, size), ((0, 0), (pad, pad), (pad, pad)))
    side = size + 2 * pad
    fx, fy = np.fft.rfftfreq(side)[None], np.fft.fftfreq(side)[:, None]
    square = fx**2 + fy**2
    square[0, 0] = 1
    spectrum = np.fft.rfft2(padded)
    result = -1j / (2 * np.pi) * (fx * spectrum[0] + fy * spectrum[1]) / square
    result[0, 0] = 0
    width = min(largest, WIDEST) if largest > 0 else WIDEST
    texels = width / np.median(np.linalg.norm(interpolate(per_u), axis=1)) * size
    result *= 1 - np.exp(-2 * (np.pi * texels / 2) ** 2 * square)
    plane = np.fft.irfft2(result, s=(side, side))[pad : pad + size, pad : pad + size, None]
    return plane.astype(np.float32)


def _lengths_per_uv(source: DetailSource) -> tuple[np.ndarray, np.ndarray]:
    """How far the surface goes along tangent and bitangent (meters) per unit of u and of v: two arrays (V, 2)."""
    surface = source.surface
    points = surface.points / source.meter
    corners, uv = points[surface.triangles], source.uv[surface.triangles]
    edges = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=1)
    steps = np.stack([uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]], axis=1)
    area = np.abs(np.linalg.det(steps))
    steps[area < 1e-14] = np.eye(2)
    along = np.linalg.inv(steps) @ edges  # (N, 2, 3): the change of position per unit of u, of v
    total = np.zeros((len(points), 2, 3))
    for corner in range(3):
        np.add.at(total, surface.triangles[:, corner], along * area[:, None, None])
    count = np.zeros(len(points))
    np.add.at(count, surface.triangles.ravel(), np.repeat(area, 3))
    total /= np.maximum(count, 1e-20)[:, None, None]
    normal = np.zeros((len(points), 3))
    np.add.at(normal, surface.triangles.ravel(), surface.normals.reshape(-1, 3))
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    bitangent = np.cross(normal, source.tangent) * source.sign[:, None]
    frame = np.stack([source.tangent, bitangent], axis=1)
    both = np.einsum("vux,vtx->vut", total, frame)
    return both[:, 0], both[:, 1]
