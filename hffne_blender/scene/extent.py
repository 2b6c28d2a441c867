# SPDX-License-Identifier: GPL-3.0-or-later
"""The room that an object takes up in the scene."""

import bpy
import numpy as np

# What has a surface or a volume: a place inside of it is not seen.
_SOLID = {"MESH", "CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD", "VOLUME", "GREASEPENCIL", "GPENCIL"}


def world_box(obj: bpy.types.Object) -> np.ndarray | None:
    """The lowest and the highest corner (2, 3) of an object in world space, meters times the scene's scale.

    Of a light it is that of its lamp; None for what takes up no room, such as a camera or an empty.
    """
    matrix = np.array(obj.matrix_world)
    if isinstance(obj.data, bpy.types.Light):
        return _lamp_box(obj.data, matrix[:3, 3], np.array(obj.matrix_world.to_quaternion().to_matrix()))
    if obj.type not in _SOLID:
        return None
    corners = np.array([tuple(corner) for corner in obj.bound_box])
    if np.ptp(corners, axis=0).max() <= 0:
        return None
    points = corners @ matrix[:3, :3].T + matrix[:3, 3]
    return np.array((points.min(axis=0), points.max(axis=0)))


def _lamp_box(data: bpy.types.Light, center: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """The box (2, 3) of a light's lamp; its size does not follow the object's scale."""
    half = np.full(3, float(getattr(data, "shadow_soft_size", 0.0)))
    if isinstance(data, bpy.types.AreaLight):
        height = data.size_y if data.shape in ("RECTANGLE", "ELLIPSE") else data.size
        half = np.abs(turn) @ np.array((data.size / 2, height / 2, 0))
    return np.array((center - half, center + half))
