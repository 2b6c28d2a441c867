# SPDX-License-Identifier: GPL-3.0-or-later
"""Transparent pictures of a head's thin parts over their own UVs: lashes as hairs, the shadow under the lids,
the tint of the eye's inner corner.
"""

from collections.abc import Iterator

import numpy as np

from .head_parts import PartSurface
from .uv_charts import border_vertices

LASH_SIZE, SHADOW_SIZE = 512, 64
# sRGB 0..255.
LASH_COLOR, SHADOW_COLOR, CORNER_COLOR = (16, 11, 9), (24, 9, 8), (188, 124, 115)
# Hairs on one strip of lashes, and their width at the root as a share of the distance between two.
HAIRS, WIDTH = 30, 0.30
# Length and width of the lower lid's hairs as shares of the upper lid's.
LOWER_LENGTH, LOWER_WIDTH = 0.62, 0.70
# Opacity of the shadow at the upper and at the lower lid, and the meters over which it fades.
UPPER, LOWER, FADE = 0.72, 0.40, 0.0016
# Opacity of the inner corner's tint in its middle, and the meters over which it comes from nothing at its border.
CORNER, CORNER_FADE = 0.30, 0.0015


def lashes(surface: PartSurface, centers: np.ndarray) -> np.ndarray:
    """Hairs on strips: (LASH_SIZE, LASH_SIZE, 4) uint8 sRGB and alpha, row 0 at v = 1.

    centers  (E, 3) of the eyeballs: hairs grow away from the nearest
    """
    size = LASH_SIZE
    values = np.zeros((len(surface.points), 3))
    # Each strip by itself: 0 at the root, 1 at the tips; 0 to 1 across the hairs; and how large its hairs are.
    component = surface.components()
    for number in range(component.max() + 1):
        own = component == number
        used, first = np.unique(surface.triangles[own], return_index=True)
        away = surface.points[used, None] - centers[None]
        reach = np.linalg.norm(away, axis=2)
        upper = away[np.arange(len(used)), reach.argmin(1), 2].mean() > 0
        uv = surface.uvs[own].reshape(-1, 2)[first]
        uv = (uv - uv.min(0)) / np.maximum(np.ptp(uv, axis=0), 1e-9)
        alike = [float(np.corrcoef(reach.min(1), uv[:, axis])[0, 1]) for axis in (0, 1)]
        along = int(np.argmax(np.abs(alike)))
        grown = uv[:, along] if alike[along] > 0 else 1 - uv[:, along]
        values[used] = np.stack([grown, uv[:, 1 - along], np.full(len(used), float(upper))], 1)
    texels, found = surface.at_texels(values, size)
    alpha = np.zeros(size * size)
    alpha[texels] = _hairs(*found.T)
    return _tinted(alpha, LASH_COLOR, size)


def _hairs(grown: np.ndarray, cross: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Opacity (K,) of hairs: `grown` 0..1 from root to tip, `cross` 0..1 across them, `upper` 1 at the upper lid."""
    random = np.random.default_rng(3)
    lean, length = random.normal(0, 0.9, HAIRS + 4), random.uniform(0.55, 1.0, HAIRS + 4)
    place = cross * HAIRS
    number = np.clip(place.astype(int), 0, HAIRS) + 1
    grown = grown / (LOWER_LENGTH + (1 - LOWER_LENGTH) * upper)
    thick = WIDTH / 2 * (LOWER_WIDTH + (1 - LOWER_WIDTH) * upper)
    opacity = np.zeros(len(grown))
    for neighbor in (-1, 0, 1):
        hair = number + neighbor
        middle = hair - 0.5 + lean[hair] * grown**2
        width = thick * np.clip(1 - grown / length[hair], 0, 1) ** 0.8
        # Half a texel's softness; a hair thinner than that is fainter instead.
        edge = np.clip((width - np.abs(place + 1 - middle)) / 0.08 + 0.5, 0, 1) * np.clip(width / 0.04, 0, 1)
        opacity = np.maximum(opacity, edge)
    # The root lies in the lid.
    return opacity * np.clip(grown / 0.05, 0, 1)


def lid_shadow(surface: PartSurface) -> np.ndarray:
    """Dark at the lids, clear over the eye: (SHADOW_SIZE, SHADOW_SIZE, 4) uint8 sRGB and alpha, row 0 at v = 1."""
    values = np.zeros((len(surface.points), 1))
    for used, distance, nearest in _borders(surface):
        height = surface.points[nearest, 2]
        at_top = (height - height.min()) / max(float(np.ptp(height)), 1e-9)
        values[used, 0] = (LOWER + (UPPER - LOWER) * at_top) * np.exp(-distance / FADE)
    return _film(surface, values, SHADOW_COLOR)


def corner_tint(surface: PartSurface) -> np.ndarray:
    """Reddish in the middle, clear at the border: (SHADOW_SIZE, SHADOW_SIZE, 4) uint8 as of `lid_shadow`."""
    values = np.zeros((len(surface.points), 1))
    for used, distance, _ in _borders(surface):
        values[used, 0] = CORNER * (1 - np.exp(-distance / CORNER_FADE))
    return _film(surface, values, CORNER_COLOR)


def _borders(surface: PartSurface) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For each component with a border: its vertices (N,), their distance (N,) to the border, and the nearest (N,)."""
    component = surface.components()
    for number in range(component.max() + 1):
        triangles = surface.triangles[component == number]
        used, border = np.unique(triangles), border_vertices(triangles)
        if len(border):
            distance = np.linalg.norm(surface.points[used, None] - surface.points[None, border], axis=2)
            yield used, distance.min(1), border[distance.argmin(1)]


def _film(surface: PartSurface, values: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    """A picture of one color with an opacity (V, 1) of the vertices."""
    alpha = np.zeros(SHADOW_SIZE**2)
    texels, shares = surface.at_texels(values, SHADOW_SIZE)
    alpha[texels] = shares[:, 0]
    return _tinted(alpha, color, SHADOW_SIZE)


def _tinted(alpha: np.ndarray, color: tuple[int, int, int], size: int) -> np.ndarray:
    """A picture of one color with this opacity (size * size,)."""
    picture = np.empty((size * size, 4), np.uint8)
    picture[:, :3] = color
    picture[:, 3] = np.rint(np.clip(alpha, 0, 1) * 255)
    return picture.reshape(size, size, 4)
