# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry buffers of posed faces in their crop: exact normals, texture coordinates, shadows, position map.

Light, texture and relief are added later (`shading`), so one buffer gives any number of pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hffne.geometry.uv import coordinates
from hffne.photo.crop import SIDE_OVER_RADIUS
from hffne.synthesis.face_model import EYES, GUMS_AND_TEETH, SOCKETS, FaceModel
from hffne.synthesis.rays import RayScene
from hffne.synthesis.uv_layout import CENTER, UVLayout

SIZE = 256
BACKGROUND, SKIN, EYE, MOUTH, TEETH = range(5)  # what a pixel shows
SUNS = 2
AO_RAYS = 12


@dataclass
class HeadView:
    """A head's pose and camera: rotation (3, 3) head -> camera; distance in cm or None for orthographic."""

    rotation: np.ndarray
    distance: float | None


@dataclass
class Window:
    """The square that the crop shows, in cm on the plane through the head's center, y up."""

    x: float
    y: float
    side: float


def project(points: np.ndarray, view: HeadView) -> np.ndarray:
    """Points (..., 3) from the head's frame to the camera's, x and y projected to the plane of the head's center."""
    seen = points @ view.rotation.T
    if view.distance is not None:
        seen = seen.copy()
        seen[..., :2] *= (view.distance / (view.distance - seen[..., 2]))[..., None]
    return seen


def canonical_window(position: np.ndarray, mask: np.ndarray) -> Window:
    """The window of a projected position map (U, U, 3): centered on it, sized by its pose-free radius."""
    points = position[mask]
    center = points.mean(0)
    radius = np.sqrt(np.square(points - center).sum(1).mean())
    return Window(float(center[0]), float(center[1]), float(radius * SIDE_OVER_RADIUS))


def to_crop(points: np.ndarray, window: Window, size: int = SIZE) -> np.ndarray:
    """Projected points (..., 3) in cm to crop pixels: x right, y down, z toward the viewer."""
    unit = size / window.side
    return np.stack(
        [
            (points[..., 0] - window.x) * unit + size / 2 - 0.5,
            size / 2 - 0.5 - (points[..., 1] - window.y) * unit,
            points[..., 2] * unit,
        ],
        -1,
    )


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit vertex normals (V, 3) float32 of vertices (V, 3) and triangles (T, 3)."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    normals = np.stack(
        [sum(np.bincount(triangles[:, i], face[:, k], len(vertices)) for i in range(3)) for k in range(3)], 1
    )
    return (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def _materials(count: int) -> np.ndarray:
    kind = np.full(count, SKIN, np.uint8)
    kind[SOCKETS] = MOUTH
    kind[GUMS_AND_TEETH] = MOUTH
    kind[17039:21451] = TEETH
    kind[EYES] = EYE
    return kind


def seen_through(scene: RayScene, view: HeadView, window: Window, size: int) -> tuple[np.ndarray, np.ndarray]:
    """What each of the size x size pixels of a crop shows: the triangle (P,), -1 for none, and its weights (P, 3).

    scene: a head in camera space, rotated by the view.
    """
    axis = (np.arange(size) + 0.5) / size - 0.5
    x, y = np.meshgrid(window.x + axis * window.side, window.y - axis * window.side)
    if view.distance is None:
        return scene.seen_from_front(x, y, 60)
    origin = np.array([0, 0, view.distance], np.float32)
    rays = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], 1) - origin
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    index, weights, _ = scene.first_hit(np.broadcast_to(origin, rays.shape), rays)
    return index, weights


class Renderer:
    """Renders shapes of one model."""

    def __init__(self, model: FaceModel, layout: UVLayout) -> None:
        self.model, self.layout, self.triangles = model, layout, model.triangles
        self.uv = coordinates(model.neutral - CENTER).astype(np.float32)
        self.kind = _materials(len(model.neutral))

    def shape(self, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """Vertices (V, 3) in cm around the head's center."""
        return self.model.vertices(identity, expression) - CENTER

    def buffers(
        self,
        shape: np.ndarray,
        view: HeadView,
        window: Window,
        suns: Sequence[np.ndarray] | np.ndarray = (),
        occlusion_rays: int = AO_RAYS,
        rng: np.random.Generator | None = None,
        size: int = SIZE,
        exact: bool = False,
    ) -> dict[str, np.ndarray]:
        """Render one crop of S = `size` pixels. Returns arrays by name:

        normal (S, S, 3) int8 = 127 n in camera space; uv (S, S, 2) float16; kind (S, S) uint8;
        sun (S, S) uint8, bit k set where sun k (camera-space direction ``suns[k]``) is blocked;
        sky (S, S) uint8 = 255 x the share of sky seen; position (U, U, 3) float16 in crop pixels.

        rng: for the directions of the occlusion rays; needed unless occlusion_rays is 0. exact: normal as unit float32
        and uv as float32, for close-ups.
        """
        triangles = self.triangles
        seen = (shape @ view.rotation.T).astype(np.float32)
        scene = RayScene(seen, triangles)
        index, weights = seen_through(scene, view, window, size)
        hit = index >= 0
        corners, weights = triangles[index[hit]], weights[hit].astype(np.float32)[..., None]
        normals = vertex_normals(seen, triangles)
        normal = (normals[corners] * weights).sum(1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        points = (seen[corners] * weights).sum(1) + normal * 0.05
        shadow = np.zeros(len(points), np.uint8)
        for bit, sun in enumerate(suns):
            dark = normal @ sun <= 0
            lit = np.flatnonzero(~dark)
            dark[lit] = scene.blocked(points[lit], sun)
            shadow |= dark.astype(np.uint8) << bit
        buffers: dict[str, np.ndarray] = {
            "normal": np.zeros((size * size, 3), np.float32 if exact else np.int8),
            "uv": np.zeros((size * size, 2), np.float32 if exact else np.float16),
            "kind": np.zeros(size * size, np.uint8),
            "sun": np.zeros(size * size, np.uint8),
            "sky": np.full(size * size, 255, np.uint8),
        }
        buffers["normal"][hit] = normal if exact else np.round(normal * 127)
        buffers["uv"][hit] = (self.uv[corners] * weights).sum(1)
        buffers["kind"][hit] = self.kind[corners[:, 0]]
        buffers["sun"][hit] = shadow
        if occlusion_rays:
            if rng is None:
                raise ValueError("occlusion rays need a random generator")
            sky = self._sky(scene, seen, normals, occlusion_rays, rng)
            buffers["sky"][hit] = np.clip((sky[corners] * weights[..., 0]).sum(1), 0, 1) * 255
        buffers = {name: array.reshape(size, size, *array.shape[1:]) for name, array in buffers.items()}
        position = to_crop(project(self.layout.sample(shape), view), window, size)
        return buffers | {"position": position.astype(np.float16)}

    def _sky(
        self, scene: RayScene, vertices: np.ndarray, normals: np.ndarray, count: int, rng: np.random.Generator
    ) -> np.ndarray:
        """The share of the sky that each vertex (V,) sees, 0..1, weighted by the cosine."""
        directions = rng.normal(size=(count, 3)).astype(np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        seen, total = np.zeros(len(vertices), np.float32), np.full(len(vertices), 1e-6, np.float32)
        origins = vertices + normals * 0.1
        for direction in directions:
            facing = normals @ direction
            front = np.flatnonzero(facing > 0.1)
            total[front] += facing[front]
            free = front[~scene.blocked(origins[front], direction)]
            seen[free] += facing[free]
        return np.where(total > 0.2, seen / total, 1.0)
