# SPDX-License-Identifier: GPL-3.0-or-later
"""The relief of a face as heights: its slopes integrated over the face's own, seamless UV layout."""

import numpy as np

from . import raster

# Forms wider than this (meters) are the shape of a head; integrating them only gathers errors.
WIDEST = 0.05
PAD = 0.25


def heights(source, detail, size, largest=0.0):
    """(size, size, 1) float32, meters of the face's own size along its normal, row 0 at v = 1.

    source  character.source.Source; detail: numeric.slope_field.Detail of it
    largest meters: forms wider than this are left out, as far as `WIDEST` in any case

    The least-squares surface of the given slopes (Frankot and Chellappa, 1988), by Fourier
    transform; the slopes fade to zero at the face's border, so that nothing wraps round.
    """
    shape = source.surface
    east, north = _per_uv(source)
    index, owner, share = raster.cover(source.uv[shape.triangles], size)
    corners = shape.triangles[owner]

    def between(values):
        return np.einsum("kc,kc...->k...", share, values[corners])

    # Height falls where the normal leans to: -slope along the tangent and the bitangent.
    uv = between(source.uv)
    slopes = -detail.slopes_at(uv, 1 / size) * np.clip(between(source.rim) / 0.008, 0, 1)[:, None]
    across = np.einsum("kx,kx->k", slopes, between(east)) / size
    down = -np.einsum("kx,kx->k", slopes, between(north)) / size
    field = np.zeros((2, size * size))
    field[0, index], field[1, index] = across, down

    pad = int(size * PAD)
    wide = np.pad(field.reshape(2, size, size), ((0, 0), (pad, pad), (pad, pad)))
    side = size + 2 * pad
    fx, fy = np.fft.rfftfreq(side)[None], np.fft.fftfreq(side)[:, None]
    square = fx**2 + fy**2
    square[0, 0] = 1
    spectrum = np.fft.rfft2(wide)
    result = -1j / (2 * np.pi) * (fx * spectrum[0] + fy * spectrum[1]) / square
    result[0, 0] = 0
    width = min(largest, WIDEST) if largest > 0 else WIDEST
    texels = width / np.median(np.linalg.norm(between(east), axis=1)) * size
    result *= 1 - np.exp(-2 * (np.pi * texels / 2) ** 2 * square)
    plane = np.fft.irfft2(result, s=(side, side))[pad : pad + size, pad : pad + size, None]
    return plane.astype(np.float32)


def _per_uv(source):
    """How far the surface goes along tangent and bitangent (meters) per unit of u and of v: two (V, 2)."""
    shape = source.surface
    points = shape.points / source.meter
    corners, uv = points[shape.triangles], source.uv[shape.triangles]
    edges = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=1)
    steps = np.stack([uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]], axis=1)
    area = np.abs(np.linalg.det(steps))
    steps[area < 1e-14] = np.eye(2)
    along = np.linalg.inv(steps) @ edges  # (N, 2, 3): the change of place per unit of u, of v
    total = np.zeros((len(points), 2, 3))
    for corner in range(3):
        np.add.at(total, shape.triangles[:, corner], along * area[:, None, None])
    count = np.zeros(len(points))
    np.add.at(count, shape.triangles.ravel(), np.repeat(area, 3))
    total /= np.maximum(count, 1e-20)[:, None, None]
    normal = np.zeros((len(points), 3))
    np.add.at(normal, shape.triangles.ravel(), shape.normals.reshape(-1, 3))
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    bitangent = np.cross(normal, source.tangent) * source.sign[:, None]
    frame = np.stack([source.tangent, bitangent], axis=1)
    both = np.einsum("vux,vtx->vut", total, frame)
    return both[:, 0], both[:, 1]
