# SPDX-License-Identifier: GPL-3.0-or-later
"""The fine variation of a person's skin, for texels that no photo shows: without it they look like plastic.

The spectrum of the cheeks' detail with other phases (random phase noise, Galerne, Gousseau and Morel 2011).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from hffne.geometry.completion import PhotoTexels
from hffne.geometry.grids import smoothstep
from hffne.head.graph import distance_from
from hffne.head.skin import skin, vertex_uvs

# The patch's side as a share of the texture's, and where its middle is on the position map.
_SIDE, _CHEEK = 1 / 24, np.array([0.36, -0.12])
# Detail is what is finer than this sigma, as a share of the patch's side. Largest deviation: of 0..1.
_FINER, _LARGEST = 1 / 16, 0.006
# Meters from a seam over which the grain fades in: it does not go on beyond it.
_SEAM = 0.003


@dataclass(frozen=True)
class Grain:
    """tile (P, P) float32: variation of the brightness (of 0..1) that repeats in both directions."""

    tile: np.ndarray

    def add(self, color: np.ndarray, share: np.ndarray, rows: slice) -> None:
        """Add the variation to colors (rows, T, 3) of a texture's rows, in place; share (rows, T) 0..1.

        It is symmetric about the middle.
        """
        side, size = len(self.tile), color.shape[1]
        column = np.abs(np.arange(size) - (size - 1) / 2).astype(int) % side
        wide = self.tile[:, column]
        variation = wide[np.arange(rows.start, rows.stop) % side] * share
        for channel in range(3):
            color[..., channel] += variation


def cheek_grain(
    position: Callable[[slice, slice], np.ndarray], photo: PhotoTexels, share: np.ndarray, size: int
) -> Grain:
    """The Grain of both cheeks for a texture of `size` texels a side.

    position: crop positions (rows, columns, 2) of 256 of these rows and columns of texels; share (n,): how far the
    photo shows a vertex.
    """
    side = max(int(size * _SIDE), 8)
    power, total = np.zeros((side, side)), 1e-6
    for sign in (-1, 1):
        vertex = int(np.argmin(np.square(skin().around - _CHEEK * [sign, 1]).sum(1)))
        weight = float(share[vertex])
        u, v = vertex_uvs()[vertex]
        top, left = int((1 - v) * size) - side // 2, int(u * size) - side // 2
        at = position(slice(top, top + side), slice(left, left + side))
        color = photo.colors(at)
        detail = color - cv2.GaussianBlur(color, (0, 0), side * _FINER, borderType=cv2.BORDER_REFLECT)
        gray = detail.mean(2)
        # Spots and hairs are not what skin is like everywhere.
        gray = np.clip(gray, *(np.percentile(gray, (2, 98)) * 1.2))[:, ::sign]
        window = np.hanning(side)[:, None] * np.hanning(side)[None]
        power += weight * np.square(np.abs(np.fft.fft2(gray * window))) / np.square(window).mean()
        total += weight
    power = _isotropic(power / total)
    noise = np.fft.fft2(np.random.default_rng(0).normal(size=(side, side)))
    tile = np.fft.ifft2(noise / np.maximum(np.abs(noise), 1e-9) * np.sqrt(power)).real
    tile -= tile.mean()
    tile *= min(1.0, _LARGEST / max(float(tile.std()), 1e-9))
    return Grain(tile.astype(np.float32))


def _isotropic(power: np.ndarray) -> np.ndarray:
    """A power spectrum (P, P) averaged over directions: wrinkles and hairs have one, skin elsewhere has not."""
    waves = np.fft.fftfreq(len(power)) * len(power)
    ring = np.round(np.hypot(waves[:, None], waves[None])).astype(int)
    mean = np.bincount(ring.ravel(), power.ravel()) / np.maximum(np.bincount(ring.ravel()), 1)
    return mean[ring]


@cache
def away_from_seams() -> np.ndarray:
    """(n,) float32: 0 at a seam of the UVs, 1 a little away from it."""
    twice = np.flatnonzero(np.bincount(skin().of_point) > 1)
    return smoothstep(0, _SEAM, distance_from(twice)).astype(np.float32)
