# SPDX-License-Identifier: GPL-3.0-or-later
"""How many texels a face gets on another mesh, told before it is applied."""

import bpy
import numpy as np

from ..numeric.vectors import mean_scale
from ..scene import camera, extent, mesh_arrays
from .errors import TransferError
from .evaluated_mesh import uv_map_name

# Meters across a face, from cheekbone to cheekbone (men's and women's mean of the ANSUR II survey, rounded).
WIDTH = 0.14
# The share of the side of a UV map of its own (`face_uv`) that a face has across, measured.
FACE_UV = 0.65
# Fewer triangles than this in the face's place are no mesh that lies under the face.
_LEAST = 8
# A mesh elsewhere is taken as a head or a figure in life size where its height in meters is between these.
_HEIGHTS = (0.15, 2.5)


def across(face: bpy.types.Object, target: bpy.types.Object, uv_map: str = "") -> tuple[float, float] | None:
    """(share of the UV map's side, pixels of the photo) across the face.

    The first times the textures' side is the number of texels across the face. Of a mesh that is not under the face
    it is the mean of the whole UV map, or None where its size is no person's.
    """
    mesh, box = target.data, extent.world_box(face)
    assert isinstance(mesh, bpy.types.Mesh)
    try:
        uv_name = uv_map_name(mesh, target, uv_map)
    except TransferError:
        return None
    surface = mesh_arrays.world_surface(mesh, np.array(target.matrix_world), uv_name)
    corners, uvs = surface.points[surface.triangles], surface.uvs
    if box is None or uvs is None:
        return None
    middle = corners.mean(axis=1)
    here = ((middle > box[0]) & (middle < box[1])).all(axis=1)
    # In Blender units: the face may be scaled.
    unit = mean_scale(np.array(face.matrix_world))
    if here.sum() < _LEAST:
        if not _HEIGHTS[0] < float(np.ptp(surface.points[:, 2])) / unit < _HEIGHTS[1]:
            return None
        here[:] = True
    sides, flat = corners[here, 1:] - corners[here, :1], uvs[here, 1:] - uvs[here, :1]
    area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1).sum()
    covered = np.abs(flat[:, 0, 0] * flat[:, 1, 1] - flat[:, 0, 1] * flat[:, 1, 0]).sum()
    if area <= 0:
        return None
    width = WIDTH * unit
    photo = camera.load(face)
    if photo is None:
        return None
    # The camera's scale is in the crop's pixels.
    pixels = WIDTH * photo["scale"] * photo["crop"]["side"] / photo["crop"]["size"]
    return float(np.sqrt(covered / area) * width), float(pixels)
