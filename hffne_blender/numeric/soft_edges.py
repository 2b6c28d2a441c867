# SPDX-License-Identifier: GPL-3.0-or-later
"""Transparent pictures of a head's thin parts over their own UVs: lashes as hairs, the shadow under the lids."""

import numpy as np

from .head_parts import PartSurface
from .uv_charts import border_vertices

LASH_SIZE, SHADOW_SIZE = 1024, 128
# sRGB 0..255.
LASH_COLOR, SHADOW_COLOR = (16, 11, 9), (24, 9, 8)
# Hairs on one strip of lashes, and their width at the root as a share of the distance between two.
HAIRS, WIDTH = 34, 0.44
# Opacity of the shadow at the upper and at the lower lid, and the meters over which it fades.
UPPER, LOWER, FADE = 0.72, 0.40, 0.0016


def lashes(surface: PartSurface, centers: np.ndarray) -> np.ndarray:
    """Hairs on strips: (LASH_SIZE, LASH_SIZE, 4) uint8 sRGB and alpha, row 0 at v = 1.

    centers  (E, 3) of the eyeballs: hairs grow away from the nearest
    """
    size = LASH_SIZE
    along = np.zeros((len(surface.points), 2))
    # Each strip by itself: 0 at the root, 1 at the tips; and the coordinate that crosses the hairs.
    component = surface.components()
    for number in range(component.max() + 1):
        own = component == number
        used, first = np.unique(surface.triangles[own], return_index=True)
        reach = np.linalg.norm(surface.points[used, None] - centers[None], axis=2).min(1)
        grown = (reach - reach.min()) / max(float(np.ptp(reach)), 1e-9)
        uv = surface.uvs[own].reshape(-1, 2)[first]
        spread = [abs(float(np.corrcoef(grown, uv[:, axis])[0, 1])) for axis in (0, 1)]
        cross = uv[:, int(np.nanargmin(spread))]
        along[used] = np.stack([grown, (cross - cross.min()) / max(float(np.ptp(cross)), 1e-9)], 1)
    texels, values = surface.at_texels(along, size)
    alpha = np.zeros(size * size)
    alpha[texels] = _hairs(values[:, 0], values[:, 1])
    return _tinted(alpha, LASH_COLOR, size)


def _hairs(grown: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Opacity (K,) of hairs: `grown` 0..1 from root to tip, `cross` 0..1 across the hairs."""
    random = np.random.default_rng(3)
    lean, length = random.normal(0, 0.8, HAIRS + 4), random.uniform(0.65, 1.0, HAIRS + 4)
    place = cross * HAIRS
    number = np.clip(place.astype(int), 0, HAIRS) + 1
    opacity = np.zeros(len(grown))
    for neighbor in (-1, 0, 1):
        hair = number + neighbor
        middle = hair - 0.5 + lean[hair] * grown**2
        width = WIDTH / 2 * np.clip(1 - grown / length[hair], 0, 1) ** 0.6
        opacity = np.maximum(opacity, np.clip((width - np.abs(place + 1 - middle)) / 0.12 + 0.5, 0, 1) * (width > 0))
    # The root lies in the lid.
    return opacity * np.clip(grown / 0.05, 0, 1)


def lid_shadow(surface: PartSurface) -> np.ndarray:
    """Dark at the lids, clear over the eye: (SHADOW_SIZE, SHADOW_SIZE, 4) uint8 sRGB and alpha, row 0 at v = 1."""
    values = np.zeros((len(surface.points), 1))
    component = surface.components()
    for number in range(component.max() + 1):
        triangles = surface.triangles[component == number]
        used, border = np.unique(triangles), border_vertices(triangles)
        if not len(border):
            continue
        points, rim = surface.points[used], surface.points[border]
        distance = np.linalg.norm(points[:, None] - rim[None], axis=2)
        height = rim[:, 2]
        at_top = (height[distance.argmin(1)] - height.min()) / max(float(np.ptp(height)), 1e-9)
        values[used, 0] = (LOWER + (UPPER - LOWER) * at_top) * np.exp(-distance.min(1) / FADE)
    alpha = np.zeros(SHADOW_SIZE**2)
    texels, shares = surface.at_texels(values, SHADOW_SIZE)
    alpha[texels] = shares[:, 0]
    return _tinted(alpha, SHADOW_COLOR, SHADOW_SIZE)


def _tinted(alpha: np.ndarray, color: tuple[int, int, int], size: int) -> np.ndarray:
    """A picture of one color with this opacity (size * size,)."""
    picture = np.empty((size * size, 4), np.uint8)
    picture[:, :3] = color
    picture[:, 3] = np.rint(np.clip(alpha, 0, 1) * 255)
    return picture.reshape(size, size, 4)
