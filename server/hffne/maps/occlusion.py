# SPDX-License-Identifier: GPL-3.0-or-later
"""Ambient occlusion: the share of the light from all around that reaches a texel, 0..1.

Two scales, multiplied: the head's own shape (eye sockets, beside the nose, under the lip) by depth buffers
from many directions, and the relief by the horizons of its height field.
"""

import cv2
import numpy as np

from hffne.geometry.grids import blur
from hffne.geometry.vectors import length_of
from hffne.maps.uv_surface import UVSurface, resize_texture

DIRECTIONS = 128
# Directions that are looked from at once: more take memory, and are no faster.
_TOGETHER = 4
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
    import torch

    everything = np.concatenate([points, occluders]).astype(np.float64)
    at_points, outward = torch.from_numpy(everything.T.copy()), None
    facing = torch.from_numpy(np.ascontiguousarray((normals.astype(np.float64) @ _sphere(DIRECTIONS).T).T))
    if occluder_normals is not None:
        outward = torch.from_numpy(occluder_normals.T.astype(np.float64))
    count = len(points)
    # The depth buffer's cells: as many as the farthest point needs, in any direction.
    reach = int(np.linalg.norm(everything, axis=1).max() / pixel) + 2
    lit = torch.zeros(count, dtype=torch.float64)
    for start in range(0, DIRECTIONS, _TOGETHER):
        frames = torch.from_numpy(_frames(_sphere(DIRECTIONS)[start : start + _TOGETHER], pixel))
        at = (frames.view(-1, 3) @ at_points).view(*frames.shape[:2], -1)
        depth, plane = at[:, 2], at[:, :2].floor_()
        cell = (plane[:, 1].add_(reach).mul_(2 * reach).add_(plane[:, 0].add_(reach))).long()
        hiding = depth[:, count:]
        if outward is not None:  # what is behind the outer side of a closed surface is hidden by it already
            hiding = hiding.masked_fill(frames[:, 2] @ outward <= 0, -torch.inf)
        nearest = hiding.new_full((len(frames), 4 * reach * reach), -torch.inf)
        nearest.scatter_reduce_(1, cell[:, count:], hiding, "amax")
        share = facing[start : start + len(frames)]
        slope = (1 - share.square()).clamp(0, 1).sqrt() / share.clamp(min=0.1)
        free = nearest.gather(1, cell[:, :count]) - depth[:, :count] < slack + pixel * slope.clamp(max=4)
        lit += (share.clamp(min=0) * free).sum(0)
    return (lit / facing.clamp(min=0).sum(0).clamp(min=1e-6)).numpy().astype(np.float32)


def _frames(directions: np.ndarray, unit: float) -> np.ndarray:
    """(D, 3, 3) for unit vectors (D, 3): two across each, which measure in `unit`, and itself."""
    upright = np.abs(directions[:, 2:]) >= 0.9
    side = np.cross(directions, np.where(upright, (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    return np.stack([side / unit, np.cross(directions, side) / unit, directions], 1)


def _of_relief(surface: UVSurface, height: np.ndarray) -> np.ndarray:
    """Occlusion by the relief: Lambert's integral over the horizons of eight directions: 1 / (1 + tan^2) of each."""
    texel_x = np.maximum(length_of(surface.right), 1e-5)
    texel_y = np.maximum(length_of(surface.down), 1e-5)
    size, reach = len(height), max(STEPS)
    wide = cv2.copyMakeBorder(height, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    visible = np.zeros_like(height)
    directions = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)]
    for r, c in directions:
        rise = np.zeros_like(height)
        for step in STEPS:
            row, column = reach + r * step, reach + c * step
            there = wide[row : row + size, column : column + size]
            cv2.max(rise, cv2.addWeighted(there, 1 / step, height, -1 / step, 0), rise)
        length = np.hypot(r * texel_y, c * texel_x) if r and c else texel_y if r else texel_x
        rise /= length
        visible += 1 / (1 + np.square(rise))
    return visible / len(directions)


def _sphere(count: int) -> np.ndarray:
    """Evenly spread unit vectors (count, 3), the Fibonacci lattice."""
    at = np.arange(count) + 0.5
    z = 1 - 2 * at / count
    angle = np.pi * (1 + 5**0.5) * at
    flat = np.sqrt(1 - z * z)
    return np.stack([flat * np.cos(angle), flat * np.sin(angle), z], 1)
