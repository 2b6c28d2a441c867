# SPDX-License-Identifier: GPL-3.0-or-later
"""Ambient occlusion: the share of the light from all around that reaches a texel, 0..1.

Two scales, multiplied: the head's own shape (eye sockets, beside the nose, under the lip) by depth buffers
from many directions, and the relief by the horizons of its height field.
"""

import cv2
import numpy as np

from hffne.geometry.grids import blur
from hffne.maps.uv_surface import UVSurface, resize_texture

DIRECTIONS = 128
# The depth buffer's pixel and the slack of its test, meters: the points are about 2 mm apart.
PIXEL, SLACK = 0.004, 0.005
# Steps, in texels of the relief's grid, at which the horizon is sampled.
STEPS = (1, 2, 3, 5, 8, 12)


def occlusion(surface: UVSurface, wide: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Ambient occlusion (S, S) float32 0..1 on the surface's grid, 1 for light from all around.

    wide (s, s) 0..1: that of the shape alone, of `shape_occlusion`; height (S, S) meters.
    """
    return np.clip(resize_texture(wide, surface.size) * _of_relief(surface, height), 0, 1).astype(np.float32)


def shape_occlusion(surface: UVSurface) -> np.ndarray:
    """Occlusion (S, S) float32 by the head's own shape, on the surface's grid."""
    points, normals = surface.points.reshape(-1, 3), surface.normal.reshape(-1, 3)
    face = surface.mask.ravel() > 0.5
    result = open_sky(points, normals, points[face], None, PIXEL, SLACK).reshape(surface.mask.shape)
    return blur(result, 1.5, surface.mask + 1e-3)


def open_sky(
    points: np.ndarray,
    normals: np.ndarray,
    occluders: np.ndarray,
    occluder_normals: np.ndarray | None,
    pixel: float,
    slack: float,
) -> np.ndarray:
    """The share (N,) float32 of the light from all around that reaches points (N, 3) with unit normals (N, 3).

    occluders (M, 3): what is in the way; occluder_normals (M, 3): of a closed surface, else None; pixel, slack: of the
    depth buffer, meters.
    """
    lit, total = np.zeros(len(points)), np.zeros(len(points))
    everything = np.concatenate([points, occluders])
    for direction in _sphere(DIRECTIONS):
        facing = normals @ direction
        side = np.cross(direction, (0.0, 0.0, 1.0) if abs(direction[2]) < 0.9 else (1.0, 0.0, 0.0))
        side /= np.linalg.norm(side)
        plane = np.floor(everything @ np.stack([side, np.cross(direction, side)], 1) / pixel).astype(int)
        plane -= plane.min(0)
        width = plane[:, 0].max() + 1
        cell = plane[:, 1] * width + plane[:, 0]
        depth = everything @ direction
        nearest = np.full(width * (plane[:, 1].max() + 1), -np.inf)
        outer = np.arange(len(points), len(everything))
        if occluder_normals is not None:  # what is behind the outer side of a closed surface is hidden by it already
            outer = outer[occluder_normals @ direction > 0]
        order = outer[np.argsort(depth[outer])]
        # Of repeated indices the last assignment stays: the nearest to the light.
        nearest[cell[order]] = depth[order]
        slope = np.sqrt(np.clip(1 - facing**2, 0, 1)) / np.maximum(facing, 0.1)
        free = nearest[cell[: len(points)]] - depth[: len(points)] < slack + pixel * np.minimum(slope, 4)
        share = np.maximum(facing, 0)
        total += share
        lit += share * free
    return (lit / np.maximum(total, 1e-6)).astype(np.float32)


def _of_relief(surface: UVSurface, height: np.ndarray) -> np.ndarray:
    """Occlusion by the relief: Lambert's integral over the horizons of eight directions: 1 / (1 + tan^2) of each."""
    texel_x = np.maximum(np.linalg.norm(surface.right, axis=2), 1e-5)
    texel_y = np.maximum(np.linalg.norm(surface.down, axis=2), 1e-5)
    size, reach = len(height), max(STEPS)
    wide = cv2.copyMakeBorder(height, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    visible = np.zeros_like(height)
    directions = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)]
    for r, c in directions:
        length = np.sqrt((r * texel_y) ** 2 + (c * texel_x) ** 2)
        rise = np.zeros_like(height)
        for step in STEPS:
            row, column = reach + r * step, reach + c * step
            there = wide[row : row + size, column : column + size]
            np.maximum(rise, (there - height) / (length * step), out=rise)
        visible += 1 / (1 + rise**2)
    return visible / len(directions)


def _sphere(count: int) -> np.ndarray:
    """Evenly spread unit vectors (count, 3), the Fibonacci lattice."""
    at = np.arange(count) + 0.5
    z = 1 - 2 * at / count
    angle = np.pi * (1 + 5**0.5) * at
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(angle), flat * np.sin(angle), z], 1)
