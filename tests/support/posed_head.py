# SPDX-License-Identifier: GPL-3.0-or-later
"""The template's mean head in a known pose, and networks that always return it: no weights needed."""

import numpy as np

from hffne.geometry.base_shape import _clean_template
from hffne.geometry.face_parts import FaceParts
from hffne.geometry.grids import fill_gaps
from hffne.geometry.project import project
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize

SCALE = 256 / 0.2304  # pixels per meter of the networks' crops


def turned(yaw=0.0, pitch=0.0, roll=0.0):
    """Rotation head -> camera from degrees, by its definition: x right, y up, z to the viewer."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def position_map(rotation=None, scale=SCALE, center=None, shape=None):
    """(U, U, 3) crop pixels, x right, y down; by default centered on the crop, like the training's crops."""
    head = _clean_template()[0] if shape is None else shape
    camera = head.astype(np.float64) @ (np.eye(3) if rotation is None else rotation).T * scale
    pixels = camera * [1, -1, 1]
    if center is None:
        pixels[..., :2] += 127.5 - pixels[template().mask][:, :2].mean(0)
    else:
        pixels[..., :2] += center
    return pixels.astype(np.float32)


def ripples(normals, strength=0.25):
    """Normals (S, S, 3) with fine waves, different in x and y and nowhere symmetric."""
    size = len(normals)
    row, column = np.indices((size, size)) * (256 / size)
    wave = np.stack([np.sin(column * 0.9 + row * 0.31), np.sin(row * 0.8 - column * 0.2), 0 * row], -1)
    return normalize(normals + strength * wave).astype(np.float32)


class PosedModels:
    """Stands in for hffne.models.Models: the head in one pose for every photo, mirrored on a mirrored crop."""

    name, device, trained = "posed", "cpu", {}

    def __init__(self, rotation):
        self.map = position_map(rotation)
        drawn = project(self.map, 256)
        self.normals = normalize(fill_gaps(drawn.normal, drawn.mask.astype(np.float32))).astype(np.float32)
        self.seen = []

    def position_map(self, gray):
        if gray.ndim == 3:
            return np.stack([PosedModels.position_map(self, one) for one in gray])
        if self._mirrored(gray):
            return self.map[:, ::-1] * np.float32([-1, 1, 1]) + np.float32([255, 0, 0])
        return self.map.copy()

    def coarse(self, gray):
        if gray.ndim == 3:
            return np.stack([PosedModels.coarse(self, one) for one in gray])
        if self._mirrored(gray):
            return self.normals[:, ::-1] * np.float32([-1, 1, 1])
        return self.normals.copy()

    def fine(self, gray, coarse, area=None):
        assert not self._mirrored(gray)
        return ripples(coarse)

    def eyes(self, rgb, coarse):
        return coarse

    def mouth(self, rgb, coarse):
        return coarse

    def parts(self, rgb):
        assert rgb.dtype == np.float32 and rgb.ndim == 3
        return FaceParts.bare().shares

    def _mirrored(self, gray):
        assert gray.dtype == np.float32 and gray.ndim == 2 and gray.min() >= 0 and gray.max() <= 1
        if any(np.array_equal(gray[:, ::-1], other) for other in self.seen):
            return True
        self.seen.append(gray)
        return False
