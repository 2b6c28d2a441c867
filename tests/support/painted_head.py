# SPDX-License-Identifier: GPL-3.0-or-later
"""The model's mean head, painted, posed and photographed: what its textures have to be is known everywhere."""

from types import SimpleNamespace

import numpy as np

from hffne.geometry.base_shape import HEAD_TO_OBJECT, BaseShape
from hffne.geometry.face_parts import MARGIN, WIDE, FaceParts
from hffne.geometry.rasterize import covered_pixels, nearest
from hffne.geometry.uv import template
from hffne.geometry.vectors import normalize
from hffne.head.model import PARTS, head_model
from hffne.head.skin import raster, skin
from hffne.head.surface import HeadSurface, neutral_points, vertex_normals
from hffne.head.textures import head_on_photo, unwrap_head
from hffne.parts import BACKGROUND, SKIN
from hffne.parts import PARTS as NAMES
from hffne.photo.crop import Crop
from posed_head import SCALE, turned

# A photo on which the crop lies off the middle and off the pixel grid.
CROP = Crop(210.5, 190.25, 320.0, 256)
SIZE = 420
TONE = np.array([190, 140, 120.0])
_DRAWN = "Skin", "Mouth", "Teeth", "Eye Left", "Eye Right"


def skin_paint(points):
    """Colors 0..255 (..., 3) of points in meters: skin with waves, different on both sides."""
    x, _, z = np.moveaxis(points, -1, 0)
    wave = 1 + 0.08 * np.sin(90 * x + 0.5) + 0.06 * np.sin(70 * z)
    return TONE * wave[..., None]


def even_paint(points):
    """The same on both sides."""
    return skin_paint(np.abs(points * [1, 0, 0]) + points * [0, 1, 1])


def relief(points, normals, strength=0.25):
    """Unit normals (..., 3) with waves of some millimeters, different on both sides."""
    x, _, z = np.moveaxis(points, -1, 0)
    wave = np.stack([np.sin(700 * x + 200 * z), 0 * x, np.sin(600 * z - 150 * x)], -1)
    return normalize(normals + strength * wave)


def base_shape(yaw=0.0, pitch=0.0, roll=0.0):
    """The template's mean face in a pose (degrees), as a BaseShape in the middle of the crop."""
    points = (template().mean @ HEAD_TO_OBJECT.T).astype(np.float32)
    return BaseShape(points, turned(yaw, pitch, roll) @ HEAD_TO_OBJECT.T, SCALE, (127.5, 127.5), 0.0)


def photograph(posed, shape, paint=skin_paint, background=(10, 240, 10), strength=0.25, part=None):
    """(photo (SIZE, SIZE, 3) uint8, estimate): what `unwrap_head` takes of a head (V, 3) and a FaceEstimate.

    part: the number of `parts.PARTS` (N,) at points (N, 3), by default skin.
    """
    mesh = head_model().mesh
    normals = vertex_normals(posed)
    triangles = mesh.triangles[np.isin(mesh.triangle_parts, [PARTS.index(name) for name in _DRAWN])]
    around = np.zeros((len(posed), 1))
    around[skin().vertices, 0] = np.hypot(*skin().around.T)
    values = np.hstack([posed, normals, around])
    at = CROP.to_photo(shape.to_crop(posed))
    seen, place = _drawn(at, triangles, values, SIZE)
    photo = np.empty((SIZE, SIZE, 3))
    photo[:] = background
    photo[seen] = paint(place[seen][:, :3])
    seen, place = _drawn(shape.to_crop(posed), triangles, values, 256)
    normal = np.zeros((256, 256, 3), np.float32)
    normal[..., 2] = 1
    normal[seen] = relief(place[seen][:, :3], normalize(place[seen][:, 3:6]), strength) @ shape.rotation.T
    mask = seen & (place[..., 6] < 0.95)
    seen, place = _drawn(shape.to_crop(posed) + np.float32([MARGIN, MARGIN, 0]), triangles, values, WIDE)
    shown = np.full((WIDE, WIDE), BACKGROUND)
    shown[seen] = SKIN if part is None else part(place[seen][:, :3])
    parts = FaceParts((shown == np.arange(len(NAMES))[:, None, None]).astype(np.float16))
    estimate = SimpleNamespace(shape=shape, crop=CROP, normal=normal, mask=mask, parts=parts, gain=None)
    return np.clip(photo + 0.5, 0, 255).astype(np.uint8), estimate


def _drawn(at, triangles, values, size):
    """(size, size) bool and the values (size, size, C) of the nearest outer surface; at (V, 3) pixels."""
    a, b, c = np.moveaxis(at[triangles][..., :2], 1, 0)
    outer = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) < (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    triangles = triangles[outer]
    pixel, owner, weights = covered_pixels(at, triangles, size)
    hit, best = nearest(pixel, (at[triangles[owner], 2] * weights).sum(1), size)
    picture = np.zeros((size * size, values.shape[1]))
    picture[hit] = (values[triangles[owner[best]]] * weights[best][..., None]).sum(1)
    seen = np.zeros(size * size, bool)
    seen[hit] = True
    return seen.reshape(size, size), picture.reshape(size, size, -1)


def texel_values(posed, size):
    """Points and the mesh's normals (size, size, 3) at texels, and (size, size) bool: within the charts."""
    surface, grid = HeadSurface(posed), raster(size)
    points, normals = (grid.interpolated(each[skin().of_point]) for each in (surface.points, surface.normals))
    return points, normalize(normals), grid.inside


def mean_head():
    """(V, 3) float32 meters, object axes."""
    return neutral_points()


def unwrapped(head, estimate, photo, size, unlit=False):
    """The textures of a head (V, 3) from a photo."""
    return unwrap_head(head_on_photo(head, estimate, photo.shape), estimate, photo, size, unlit)
