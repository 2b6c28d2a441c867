# SPDX-License-Identifier: GPL-3.0-or-later
"""The UV layout of the position map, made from the face model's neutral shape.

An azimuthal projection: each texel is a direction from the head's center, and its distance from the map's
middle is the angle from straight ahead. Its surface point is the outermost one in that direction, so that
eyes and mouth are covered too and the map is one chart without seams.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from hffne.geometry.uv import DOWN, SIDE, UP, coordinates, pixels
from hffne.output import write_files
from hffne.synthesis.face_model import EYES, FACE, HEAD_AND_NECK, LANDMARKS, MIRRORED, FaceModel
from hffne.synthesis.rays import RayScene

SIZE = 128
CENTER = np.array([0.0, 1.0, 1.0], np.float32)  # head center in the model's centimeters


@dataclass
class UVLayout:
    """The position of each texel on the model: vertex indices and weights (U, U, 3); mask (U, U) bool."""

    corners: np.ndarray
    weights: np.ndarray
    mask: np.ndarray

    def sample(self, vertices: np.ndarray) -> np.ndarray:
        """Position map (U, U, 3) of any shape of the model, from its vertices (V, 3)."""
        return (vertices[self.corners] * self.weights[..., None]).sum(2)


def directions(uv: np.ndarray) -> np.ndarray:
    """Unit directions (N, 3) of map coordinates ``uv`` (N, 2) in -1..1, x right and y up."""
    x, y = uv[:, 0] * np.radians(SIDE), uv[:, 1] * np.radians(np.where(uv[:, 1] > 0, UP, DOWN))
    angle = np.hypot(x, y)
    ratio = np.sinc(angle / np.pi)
    return np.stack([x * ratio, y * ratio, np.cos(angle)], 1)


def build_layout(model: FaceModel, size: int = SIZE) -> UVLayout:
    """The layout of a model at `size` texels: rays cast inward first hit the outermost surface."""
    vertices = model.neutral - CENTER
    outside = (model.triangles < HEAD_AND_NECK.stop).all(1) | (model.triangles >= EYES.start).all(1)
    skin = model.triangles[outside]
    corners, weights, hit = outermost(vertices, skin, size)
    on_face = hit & ((corners < FACE.stop).all(2) | (corners >= EYES.start).all(2))
    u, v = _texel_coordinates(size)
    inside = (u**2 + v**2) <= 1.0
    mask = ndimage.binary_fill_holes(on_face & inside)
    mask = ndimage.binary_opening(mask, iterations=2)
    label, count = ndimage.label(mask)
    mask = label == 1 + np.argmax(ndimage.sum(mask, label, range(1, count + 1)))
    mask &= mask[:, ::-1]
    return UVLayout(corners, weights, mask)


def outermost(vertices: np.ndarray, triangles: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The outermost surface along the direction of each of the size x size texels.

    vertices (V, 3) cm around the head's center. Returns vertex indices and weights (U, U, 3), and (U, U) bool, where
    the direction meets the surface; elsewhere (between the lips) the nearest texel's surface point is given.
    """
    u, v = _texel_coordinates(size)
    d = directions(np.stack([u.ravel(), v.ravel()], 1)).astype(np.float32)
    index, weights, _ = RayScene(vertices, triangles).first_hit(d * 60, -d)
    hit = (index >= 0).reshape(size, size)
    corners = triangles[np.maximum(index, 0)].reshape(size, size, 3)
    nearest = tuple(ndimage.distance_transform_edt(~hit, return_distances=False, return_indices=True))
    return corners[nearest], weights.reshape(size, size, 3).astype(np.float32)[nearest], hit


def _texel_coordinates(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Map coordinates u to the right and v up, each (U, U) in -1..1, of the texels' centers."""
    grid = (np.arange(size) + 0.5) / size * 2 - 1
    u, v = np.meshgrid(grid, -grid)
    return u, v


# The share by which each contour point moves from the model's position on the cheek back to the jaw's edge.
_TO_THE_JAW = (1.0, 1.0, 1.0, 1.0, 1.0, 0.6, 0.3, 0.1)
# Brows, nose and eyes. Labels of the lips and the contour follow other rules than the model's list.
_LABELED = slice(17, 48)
# The upper lip's inner edge, corner to corner. The model's own points lie within a texel of the mouth's opening, which
# the map bridges; read there, an open mouth's upper lip hangs into the gap. Rows and columns chosen by MediaPipe's
# labels of 120 training photos.
_INNER_LIP, _ONTO_THE_LIP = slice(60, 65), np.array([(-1.5, -1), (-1, 0), (-1, 0), (-1, 0), (-1.5, 1)])
# The corners of eyes and mouth and the middle of the outer lips: there the labels' places in the map are taken as
# measured, since MediaPipe's labels of them agree with points placed by hand.
_MEASURED = np.array([36, 39, 42, 45, 48, 51, 54, 57])


def landmark_texels(
    model: FaceModel, layout: UVLayout, offsets: np.ndarray | None = None, measured: np.ndarray | None = None
) -> np.ndarray:
    """(68, 2) row and column of the iBUG points in the map.

    offsets: of `fit.label_offsets`, (68, 3) cm, or None. measured: the labels' places (68, 2) in the map, of
    `LandmarkResiduals.texels`, or None.

    The 17 points of the contour are evenly spaced from the height of the eyes to the chin, in front of the ears and
    along the edge of the jaw, as in 3D annotations. The model's own list is made for the silhouette of frontal faces:
    it begins at the temples, is dense at the chin and crosses the cheeks, which looks the same only from the front.
    """
    points, size = model.neutral[LANDMARKS], len(layout.mask)
    texels = _texels(points, size)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points[:9], axis=0), axis=1))])
    begin = np.interp(texels[[36, 45], 0].mean(), texels[:9, 0], length)
    even = np.linspace(begin, length[-1], 9)
    jaw = np.stack([np.interp(even, length, texels[:9, k]) for k in (0, 1)], 1)  # the left ear to the chin
    surface = layout.sample(model.neutral)
    near = layout.mask & (np.arange(size) < size // 2) & (np.indices(layout.mask.shape).min(0) > 1)
    for k, share in enumerate(_TO_THE_JAW):
        height = surface[tuple(np.round(jaw[k]).astype(int))][1]
        level = near & (np.abs(surface[..., 1] - height) < 0.2)
        if level.any():  # the rearmost point of the map at this height
            back = np.unravel_index(np.argmin(np.where(level, surface[..., 2], np.inf)), level.shape)
            jaw[k] += share * (np.array(back) - jaw[k])
    texels[:9], texels[8:17] = jaw, jaw[::-1] * [1, -1] + [0, size - 1]
    # The inner lips' side points lie under the cupid's bow; in the model's list they are near the mouth's corners.
    texels[[61, 67], 1], texels[[63, 65], 1] = texels[50, 1], texels[52, 1]
    texels[_INNER_LIP] += _ONTO_THE_LIP
    if offsets is not None:
        step = _texels(points + offsets, size) - _texels(points, size)
        texels[_LABELED] += ((step + step[MIRRORED] * [1, -1]) / 2)[_LABELED]
    if measured is not None:
        both = (measured + measured[MIRRORED] * [1, -1] + [0, size - 1]) / 2
        texels[_MEASURED] = both[_MEASURED]
    return texels.astype(np.float32)


def _texels(points: np.ndarray, size: int) -> np.ndarray:
    return pixels(coordinates(points - CENTER), size)[:, ::-1]


def region_map(landmarks: np.ndarray, size: int = SIZE) -> tuple[np.ndarray, list[str]]:
    """(U, U) uint8 region index and the regions' names, which become vertex groups in Blender. landmarks (68, 2)."""
    import cv2

    names = ["forehead", "cheeks", "jaw", "nose", "lips", "eyes", "brows"]
    rows, cols = np.indices((size, size))
    brow_row = landmarks[17:27, 0].mean()
    mouth_row = landmarks[[48, 54], 0].mean()
    index = np.where(rows < brow_row, 0, np.where(rows > mouth_row, 2, 1)).astype(np.uint8)
    chin_side = landmarks[[4, 12], 1]
    index[(index == 2) & ((cols < chin_side[0]) | (cols > chin_side[1]))] = 1

    def fill(points: np.ndarray, name: str, grow: int) -> None:
        hull = cv2.convexHull(np.round(points[:, ::-1]).astype(np.int32))
        layer = cv2.fillConvexPoly(np.zeros((size, size), np.uint8), hull, (1,))
        index[cv2.dilate(layer, np.ones((2 * grow + 1, 2 * grow + 1), np.uint8)) > 0] = names.index(name)

    fill(landmarks[27:36], "nose", 2)
    fill(landmarks[48:60], "lips", 1)
    for eye, brow in ((slice(36, 42), slice(17, 22)), (slice(42, 48), slice(22, 27))):
        fill(landmarks[eye], "eyes", 2)
        fill(landmarks[brow], "brows", 2)
    return index, names


def write_template(
    model: FaceModel,
    path: str | Path,
    offsets: np.ndarray | None = None,
    size: int = SIZE,
    measured: np.ndarray | None = None,
) -> UVLayout:
    """Write the engine's UV template: mask, mean (meters, origin at the head's center), landmarks, regions.

    offsets, measured: see `landmark_texels`. Returns the layout."""
    layout = build_layout(model, size)
    landmarks = landmark_texels(model, layout, offsets, measured)
    # The regions use the model's own points: changed labels must not move an artist's vertex groups.
    index, names = region_map(landmark_texels(model, layout), size)
    eyes = model.neutral[LANDMARKS]
    distance = np.linalg.norm(eyes[42:48].mean(0) - eyes[36:42].mean(0))
    mean = (layout.sample(model.neutral) - CENTER) * (0.063 / distance)
    arrays = {
        "mask": layout.mask,
        "mean": mean.astype(np.float32),
        "landmarks": landmarks,
        "regions": index,
        "region_names": np.array(names),
    }
    write_files({Path(path): lambda file: np.savez_compressed(file, **arrays)})
    return layout
