# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic pores: relief finer than photos resolve, by what is known of skin and not by the photo.

Pores are pits, the lines between them a net of polygons, lips have grooves. Each region of the face has its mixture.
How steep they are is a head scan's (Lee Perry-Smith, Infinite-Realities, CC BY 3.0): its slopes between sigmas of 0.1
and 0.4 mm have a root mean square of about 0.04 on the cheeks and the forehead, 0.06 on the nose and the chin.
"""

from functools import lru_cache

import cv2
import numpy as np

from hffne.geometry.vectors import normalize
from hffne.maps.uv_surface import UVSurface, by_region

# The pattern repeats after so many meters, on as many texels; a head is too bent for the eye to find it.
SIDE, TEXELS = 0.0256, 512
# Root mean square slope of each kind where its share is 1.
STEEPNESS = 0.04
# Shares of pits and of the net, which on lips is drawn out to grooves.
PITS = {"forehead": 0.6, "nose": 1.3, "lips": 0.0, "eyes": 0.15, "cheeks": 0.9, "jaw": 1.1, "brows": 0.6}
NET = {"forehead": 0.8, "nose": 0.4, "lips": 0.0, "eyes": 0.7, "cheeks": 0.5, "jaw": 0.8, "brows": 0.6}
GROOVES = {"lips": 1.3}
_SKIN = 0.5, 0.6, 0.0  # of each elsewhere
# Grooves of lips: how much narrower and longer than the net's meshes.
_NARROW, _LONG = 1.5, 0.3
# Sigma of the borders between regions, as a share of the UV square.
_SOFT = 1.5 / 128
# Meters between pores, their radii; between the net's knots, and half the width of its lines.
_PORES = ((0.0011, 0.00016), (0.0016, 0.00024), (0.0026, 0.00033))
_KNOTS, _LINE = 0.0009, 0.00006
_ROWS = 256  # of the texture at a time


def pores(surface: UVSurface, normal: np.ndarray, regions: dict[str, np.ndarray]) -> np.ndarray:
    """Object-space unit normals with synthetic pores on `normal` (T, T, 3): (T, T, 3) uint16, -1 to 1 as 0 to 65535.

    surface: the base shape, at any size; regions: name -> (U, U) bool. What is finer than a texel is left out: at a
    texture size of 4096 pores show, at 1024 hardly any.
    """
    size = len(normal)
    texel = surface.texel * surface.size / size
    slopes = _slopes(round(texel * TEXELS / SIDE, 1))
    shares = [
        by_region(regions, kind, elsewhere, _SOFT) for kind, elsewhere in zip((PITS, NET, GROOVES), _SKIN, strict=True)
    ]
    result = np.empty((size, size, 3), np.uint16)
    for start in range(0, size, _ROWS):
        rows = slice(start, min(start + _ROWS, size))
        points, outward, mask = (_rows(grid, size, rows) for grid in (surface.points, surface.normal, surface.mask))
        pits, net, grooves = (_rows(share, size, rows) * mask for share in shares)
        slope = _around(slopes, points, outward, pits, net)
        if grooves.any():
            scale = np.array([_NARROW, 1, _LONG], np.float32)
            slope += _around(slopes, points * scale, outward, 0 * pits, grooves) * scale
        slope -= outward * np.einsum("...i,...i->...", slope, outward)[..., None]
        result[rows] = np.rint((normalize(normal[rows] - STEEPNESS * slope) * 0.5 + 0.5) * 65535)
    return result


def _around(
    slopes: np.ndarray, points: np.ndarray, outward: np.ndarray, pits: np.ndarray, net: np.ndarray
) -> np.ndarray:
    """The gradient (R, T, 3) of the pattern at points (R, T, 3), seen along each axis and mixed by how the surface,
    of normals (R, T, 3), looks along each."""
    weights = outward**4
    weights = weights / np.maximum(weights.sum(-1, keepdims=True), 1e-6)
    total = np.zeros_like(points)
    at = np.float32(TEXELS / SIDE) * points
    for axis in range(3):
        u, v = ((axis + 1) % 3, (axis + 2) % 3)
        found = cv2.remap(
            slopes,
            np.ascontiguousarray(at[..., u]) + 37 * axis,
            np.ascontiguousarray(at[..., v]),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        )
        for k, other in enumerate((u, v)):
            total[..., other] += weights[..., axis] * (pits * found[..., k] + net * found[..., 2 + k])
    return total


def _rows(grid: np.ndarray, size: int, rows: slice) -> np.ndarray:
    """Rows of a grid (S, S[, C]) as it is at size x size texels."""
    step = len(grid) / size
    matrix = np.array([[step, 0, 0.5 * step - 0.5], [0, step, (rows.start + 0.5) * step - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    extent = (size, rows.stop - rows.start)
    return cv2.warpAffine(
        np.ascontiguousarray(grid, np.float32), matrix, extent, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )


@lru_cache(maxsize=4)
def _slopes(texels: float) -> np.ndarray:
    """The change per meter, along columns and rows, of the pits and of the net: (TEXELS, TEXELS, 4) float32.

    Of unit root mean square each before what is finer than `texels` texels of the pattern is left out.
    """
    rng = np.random.default_rng(0)
    parts = []
    for height in (_pits(rng), _net(rng)):
        full = _gradient(height)
        smooth = _gradient(_blurred(height, 0.5 * texels))
        parts.append(smooth / np.sqrt(np.square(full).sum(2).mean()))
    return np.ascontiguousarray(np.dstack(parts), np.float32)


def _gradient(height: np.ndarray) -> np.ndarray:
    return np.dstack([(np.roll(height, -1, axis) - np.roll(height, 1, axis)) / 2 for axis in (1, 0)])


def _blurred(height: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian mean of the repeated pattern."""
    if sigma <= 0:
        return height
    room = min(int(4 * sigma) + 1, TEXELS)
    wide = cv2.GaussianBlur(np.pad(height, room, mode="wrap"), (0, 0), sigma)
    return wide[room:-room, room:-room]


def _scattered(rng: np.random.Generator, spacing: float) -> np.ndarray:
    """Texels (N, 2) about `spacing` meters apart: a grid whose points are moved."""
    count = max(round(SIDE / spacing), 1)
    cells = np.stack(np.meshgrid(np.arange(count), np.arange(count)), -1).reshape(-1, 2)
    return ((cells + rng.uniform(0.05, 0.95, cells.shape)) * TEXELS / count).astype(int) % TEXELS


def _pits(rng: np.random.Generator) -> np.ndarray:
    """The height (TEXELS, TEXELS) of pores of several sizes."""
    height = np.zeros((TEXELS, TEXELS), np.float32)
    for spacing, radius in _PORES:
        points = _scattered(rng, spacing)
        layer = np.zeros_like(height)
        layer[points[:, 1], points[:, 0]] = rng.uniform(0.3, 1.0, len(points))
        sigma = radius * TEXELS / SIDE
        height -= _blurred(layer, sigma) * sigma**2 * radius
    return height


def _net(rng: np.random.Generator) -> np.ndarray:
    """The height (TEXELS, TEXELS) of fine lines: the borders between the places nearest to each of scattered points."""
    points = _scattered(rng, _KNOTS)
    far = np.ones((3 * TEXELS, 3 * TEXELS), np.uint8)
    for row in range(3):
        for column in range(3):
            far[points[:, 1] + row * TEXELS, points[:, 0] + column * TEXELS] = 0
    _, nearest = cv2.distanceTransformWithLabels(far, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    border = (np.roll(nearest, 1, 0) != nearest) | (np.roll(nearest, 1, 1) != nearest)
    apart = cv2.distanceTransform((~border).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    depth = np.exp(-np.square(apart * SIDE / TEXELS / _LINE) / 2)
    middle = slice(TEXELS, 2 * TEXELS)
    return -_blurred(np.ascontiguousarray(depth[middle, middle], np.float32), 0.8)
